// Generated from CommitteeVerifier by scripts/generateAbis.mjs; do not edit.
export const committeeVerifierAbi = [
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "owner",
        "type": "address"
      },
      {
        "internalType": "address[]",
        "name": "members",
        "type": "address[]"
      },
      {
        "internalType": "uint8",
        "name": "threshold",
        "type": "uint8"
      },
      {
        "internalType": "uint40",
        "name": "expiresAt",
        "type": "uint40"
      },
      {
        "internalType": "uint32",
        "name": "noticeSeconds_",
        "type": "uint32"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "constructor"
  },
  {
    "inputs": [
      {
        "internalType": "uint40",
        "name": "effectiveAt",
        "type": "uint40"
      },
      {
        "internalType": "uint40",
        "name": "expiresAt",
        "type": "uint40"
      },
      {
        "internalType": "uint256",
        "name": "limitSeconds",
        "type": "uint256"
      }
    ],
    "name": "BadExpiry",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "member",
        "type": "address"
      }
    ],
    "name": "BadMember",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "members",
        "type": "uint256"
      },
      {
        "internalType": "uint8",
        "name": "threshold",
        "type": "uint8"
      }
    ],
    "name": "BadThreshold",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint40",
        "name": "expiresAt",
        "type": "uint40"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "CommitteeExpired",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint40",
        "name": "effectiveAt",
        "type": "uint40"
      }
    ],
    "name": "CommitteePending",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "app",
        "type": "address"
      }
    ],
    "name": "DirectNotRequired",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ECDSAInvalidSignature",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "length",
        "type": "uint256"
      }
    ],
    "name": "ECDSAInvalidSignatureLength",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "s",
        "type": "bytes32"
      }
    ],
    "name": "ECDSAInvalidSignatureS",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "InvalidShortString",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NoCommitteePending",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NoNotice",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "ledger",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "app",
        "type": "address"
      }
    ],
    "name": "NoRelayerApp",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signer",
        "type": "address"
      }
    ],
    "name": "NotAMember",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "expected",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "actual",
        "type": "address"
      }
    ],
    "name": "NotDisputes",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "required",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "actual",
        "type": "uint256"
      }
    ],
    "name": "NotEnoughSignatures",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "limitSeconds",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "actual",
        "type": "uint256"
      }
    ],
    "name": "NoticeTooLong",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "OperatorsRequired",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "owner",
        "type": "address"
      }
    ],
    "name": "OwnableInvalidOwner",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "account",
        "type": "address"
      }
    ],
    "name": "OwnableUnauthorizedAccount",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "platformId",
        "type": "bytes32"
      },
      {
        "internalType": "address",
        "name": "operator",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "other",
        "type": "address"
      }
    ],
    "name": "PlatformShared",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "previous",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "seat",
        "type": "address"
      }
    ],
    "name": "SeatsNotAscending",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signer",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "seat",
        "type": "address"
      }
    ],
    "name": "SignerIsMarked",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "app",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "signer",
        "type": "address"
      }
    ],
    "name": "SignerNotLive",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "chainId",
        "type": "uint256"
      }
    ],
    "name": "SimulatedOnProductionChain",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "string",
        "name": "str",
        "type": "string"
      }
    ],
    "name": "StringTooLong",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "actual",
        "type": "uint256"
      }
    ],
    "name": "TooManyMembers",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "record",
        "type": "uint32"
      }
    ],
    "name": "UnknownRecord",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "expected",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "actual",
        "type": "address"
      }
    ],
    "name": "WrongConsumer",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": false,
        "internalType": "address[]",
        "name": "members",
        "type": "address[]"
      },
      {
        "indexed": false,
        "internalType": "uint8",
        "name": "threshold",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "effectiveAt",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "CommitteeCancelled",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": false,
        "internalType": "address[]",
        "name": "oldMembers",
        "type": "address[]"
      },
      {
        "indexed": false,
        "internalType": "uint8",
        "name": "oldThreshold",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "address[]",
        "name": "newMembers",
        "type": "address[]"
      },
      {
        "indexed": false,
        "internalType": "uint8",
        "name": "newThreshold",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "effectiveAt",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "expiresAt",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "ledger",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "app",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "CommitteeChanged",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": false,
        "internalType": "address",
        "name": "oldDisputes",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "newDisputes",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "DisputesChanged",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [],
    "name": "EIP712DomainChanged",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "previousOwner",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "newOwner",
        "type": "address"
      }
    ],
    "name": "OwnershipTransferStarted",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "previousOwner",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "newOwner",
        "type": "address"
      }
    ],
    "name": "OwnershipTransferred",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "signer",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "seat",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "SignerMarked",
    "type": "event"
  },
  {
    "inputs": [],
    "name": "MAX_KEYS_SECONDS",
    "outputs": [
      {
        "internalType": "uint256",
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "MAX_MEMBERS",
    "outputs": [
      {
        "internalType": "uint256",
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "MAX_NOTICE_SECONDS",
    "outputs": [
      {
        "internalType": "uint256",
        "name": "",
        "type": "uint256"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "acceptOwnership",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "ledger",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "root",
        "type": "bytes32"
      },
      {
        "internalType": "uint32",
        "name": "count",
        "type": "uint32"
      },
      {
        "internalType": "uint40",
        "name": "validUntil",
        "type": "uint40"
      },
      {
        "internalType": "uint64",
        "name": "minBlock",
        "type": "uint64"
      },
      {
        "internalType": "bytes32",
        "name": "blockHash",
        "type": "bytes32"
      }
    ],
    "name": "batchDigest",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "cancelCommittee",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "committee",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address[]",
            "name": "members",
            "type": "address[]"
          },
          {
            "internalType": "uint8",
            "name": "threshold",
            "type": "uint8"
          },
          {
            "internalType": "uint40",
            "name": "effectiveAt",
            "type": "uint40"
          },
          {
            "internalType": "uint40",
            "name": "expiresAt",
            "type": "uint40"
          },
          {
            "internalType": "address",
            "name": "ledger",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "app",
            "type": "address"
          }
        ],
        "internalType": "struct Committee",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "disputes",
    "outputs": [
      {
        "internalType": "address",
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "eip712Domain",
    "outputs": [
      {
        "internalType": "bytes1",
        "name": "fields",
        "type": "bytes1"
      },
      {
        "internalType": "string",
        "name": "name",
        "type": "string"
      },
      {
        "internalType": "string",
        "name": "version",
        "type": "string"
      },
      {
        "internalType": "uint256",
        "name": "chainId",
        "type": "uint256"
      },
      {
        "internalType": "address",
        "name": "verifyingContract",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "salt",
        "type": "bytes32"
      },
      {
        "internalType": "uint256[]",
        "name": "extensions",
        "type": "uint256[]"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "account",
        "type": "address"
      }
    ],
    "name": "isMarked",
    "outputs": [
      {
        "internalType": "bool",
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address[]",
        "name": "signers",
        "type": "address[]"
      }
    ],
    "name": "mark",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "nextCommittee",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address[]",
            "name": "members",
            "type": "address[]"
          },
          {
            "internalType": "uint8",
            "name": "threshold",
            "type": "uint8"
          },
          {
            "internalType": "uint40",
            "name": "effectiveAt",
            "type": "uint40"
          },
          {
            "internalType": "uint40",
            "name": "expiresAt",
            "type": "uint40"
          },
          {
            "internalType": "address",
            "name": "ledger",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "app",
            "type": "address"
          }
        ],
        "internalType": "struct Committee",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "noticeSeconds",
    "outputs": [
      {
        "internalType": "uint32",
        "name": "",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "owner",
    "outputs": [
      {
        "internalType": "address",
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "pendingOwner",
    "outputs": [
      {
        "internalType": "address",
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "proofSystem",
    "outputs": [
      {
        "internalType": "enum ProofSystem",
        "name": "",
        "type": "uint8"
      }
    ],
    "stateMutability": "pure",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address[]",
        "name": "members",
        "type": "address[]"
      },
      {
        "internalType": "uint8",
        "name": "threshold",
        "type": "uint8"
      },
      {
        "internalType": "uint40",
        "name": "expiresAt",
        "type": "uint40"
      },
      {
        "internalType": "address",
        "name": "ledger",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "app",
        "type": "address"
      }
    ],
    "name": "proposeCommittee",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "renounceOwnership",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "signer",
        "type": "address"
      }
    ],
    "name": "seatOf",
    "outputs": [
      {
        "internalType": "address",
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "newDisputes",
        "type": "address"
      }
    ],
    "name": "setDisputes",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "record",
        "type": "uint32"
      }
    ],
    "name": "standing",
    "outputs": [
      {
        "components": [
          {
            "internalType": "enum TcbStatus",
            "name": "status",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "advisoriesDigest",
            "type": "bytes32"
          },
          {
            "internalType": "uint40",
            "name": "validUntil",
            "type": "uint40"
          },
          {
            "internalType": "uint40",
            "name": "staleSince",
            "type": "uint40"
          },
          {
            "internalType": "bool",
            "name": "revoked",
            "type": "bool"
          }
        ],
        "internalType": "struct Standing",
        "name": "",
        "type": "tuple"
      }
    ],
    "stateMutability": "pure",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "newOwner",
        "type": "address"
      }
    ],
    "name": "transferOwnership",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "consumer",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "subject",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "key",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "evidenceBlock",
            "type": "uint64"
          },
          {
            "internalType": "bytes32",
            "name": "evidenceBlockHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "platformId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "composeHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "osImageHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "measurementDigest",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "pinnedMeasurementDigest",
            "type": "bytes32"
          },
          {
            "internalType": "enum TeeKind",
            "name": "kind",
            "type": "uint8"
          },
          {
            "internalType": "enum TcbStatus",
            "name": "status",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "advisoriesDigest",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "evidenceDigest",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "gpuDigest",
            "type": "bytes32"
          },
          {
            "internalType": "uint40",
            "name": "validUntil",
            "type": "uint40"
          },
          {
            "internalType": "bool",
            "name": "simulated",
            "type": "bool"
          }
        ],
        "internalType": "struct Verdict",
        "name": "verdict",
        "type": "tuple"
      }
    ],
    "name": "verdictDigest",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes",
        "name": "proof",
        "type": "bytes"
      }
    ],
    "name": "verify",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "consumer",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "subject",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "key",
            "type": "address"
          },
          {
            "internalType": "uint64",
            "name": "evidenceBlock",
            "type": "uint64"
          },
          {
            "internalType": "bytes32",
            "name": "evidenceBlockHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "platformId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "composeHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "osImageHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "measurementDigest",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "pinnedMeasurementDigest",
            "type": "bytes32"
          },
          {
            "internalType": "enum TeeKind",
            "name": "kind",
            "type": "uint8"
          },
          {
            "internalType": "enum TcbStatus",
            "name": "status",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "advisoriesDigest",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "evidenceDigest",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "gpuDigest",
            "type": "bytes32"
          },
          {
            "internalType": "uint40",
            "name": "validUntil",
            "type": "uint40"
          },
          {
            "internalType": "bool",
            "name": "simulated",
            "type": "bool"
          }
        ],
        "internalType": "struct Verdict",
        "name": "verdict",
        "type": "tuple"
      },
      {
        "internalType": "uint32",
        "name": "record",
        "type": "uint32"
      },
      {
        "internalType": "uint40",
        "name": "until",
        "type": "uint40"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "root",
        "type": "bytes32"
      },
      {
        "internalType": "uint32",
        "name": "count",
        "type": "uint32"
      },
      {
        "internalType": "uint40",
        "name": "validUntil",
        "type": "uint40"
      },
      {
        "internalType": "uint64",
        "name": "minBlock",
        "type": "uint64"
      },
      {
        "internalType": "bytes32",
        "name": "blockHash",
        "type": "bytes32"
      },
      {
        "internalType": "bytes[]",
        "name": "signatures",
        "type": "bytes[]"
      }
    ],
    "name": "verifyBatch",
    "outputs": [],
    "stateMutability": "view",
    "type": "function"
  }
] as const;
