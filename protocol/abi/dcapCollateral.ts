// Generated from DcapCollateral by scripts/generateAbis.mjs; do not edit.
export const dcapCollateralAbi = [
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "owner",
        "type": "address"
      },
      {
        "internalType": "bytes32",
        "name": "rootX",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "rootY",
        "type": "bytes32"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "constructor"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "BadCertificate",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "offset",
        "type": "uint256"
      }
    ],
    "name": "BadJson",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "BadSignature",
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
    "name": "BlobNotKept",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum PckCa",
        "name": "ca",
        "type": "uint8"
      }
    ],
    "name": "CaKeyChanged",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint40",
        "name": "notBefore",
        "type": "uint40"
      },
      {
        "internalType": "uint40",
        "name": "notAfter",
        "type": "uint40"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "CertificateExpired",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum PckCa",
        "name": "ca",
        "type": "uint8"
      },
      {
        "internalType": "uint256",
        "name": "serial",
        "type": "uint256"
      }
    ],
    "name": "CertificateRevoked",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint40",
        "name": "validUntil",
        "type": "uint40"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "CollateralExpired",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum TeeKind",
        "name": "tee",
        "type": "uint8"
      },
      {
        "internalType": "bytes6",
        "name": "fmspc",
        "type": "bytes6"
      },
      {
        "internalType": "enum PckCa",
        "name": "ca",
        "type": "uint8"
      }
    ],
    "name": "CollateralMissing",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "known",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "actual",
        "type": "uint256"
      }
    ],
    "name": "CollateralOlder",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "least",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "actual",
        "type": "uint32"
      }
    ],
    "name": "EvaluationNumberTooLow",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      },
      {
        "internalType": "uint40",
        "name": "effectiveAt",
        "type": "uint40"
      }
    ],
    "name": "MinimumInForce",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint8",
        "name": "version",
        "type": "uint8"
      }
    ],
    "name": "ModuleIdentityMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint8",
        "name": "version",
        "type": "uint8"
      },
      {
        "internalType": "uint8",
        "name": "svn",
        "type": "uint8"
      }
    ],
    "name": "ModuleTcbNotCovered",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint40",
        "name": "issuedAt",
        "type": "uint40"
      },
      {
        "internalType": "uint256",
        "name": "timestamp",
        "type": "uint256"
      }
    ],
    "name": "NotYetIssued",
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
    "inputs": [],
    "name": "P256Unavailable",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes2",
        "name": "expected",
        "type": "bytes2"
      },
      {
        "internalType": "bytes2",
        "name": "actual",
        "type": "bytes2"
      }
    ],
    "name": "PceIdMismatch",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "PlatformTcbNotCovered",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "QeIdentityMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "isvSvn",
        "type": "uint16"
      }
    ],
    "name": "QeTcbNotCovered",
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
    "name": "TestRootOnProductionChain",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "expectedHash",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "actualHash",
        "type": "bytes32"
      }
    ],
    "name": "WrongIssuer",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "actualHash",
        "type": "bytes32"
      }
    ],
    "name": "WrongSubject",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "enum PckCa",
        "name": "ca",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "x",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "y",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "serial",
        "type": "uint256"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "notAfter",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "CertificateKept",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "enum PckCa",
        "name": "ca",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "number",
        "type": "uint256"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "thisUpdate",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "nextUpdate",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "count",
        "type": "uint256"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "blob",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "epoch",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "CrlKept",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes6",
        "name": "fmspc",
        "type": "bytes6"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "oldNumber",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "newNumber",
        "type": "uint32"
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
    "name": "MinEvaluationNumberChanged",
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
        "internalType": "enum TeeKind",
        "name": "tee",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "document",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "evaluationNumber",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "issuedAt",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "nextUpdate",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "epoch",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "QeIdentityKept",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "enum TeeKind",
        "name": "tee",
        "type": "uint8"
      },
      {
        "indexed": true,
        "internalType": "bytes6",
        "name": "fmspc",
        "type": "bytes6"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "document",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "evaluationNumber",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "issuedAt",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "nextUpdate",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "epoch",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "blob",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "TcbInfoKept",
    "type": "event"
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
        "internalType": "enum PckCa",
        "name": "ca",
        "type": "uint8"
      }
    ],
    "name": "caKey",
    "outputs": [
      {
        "internalType": "bytes32",
        "name": "x",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "y",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "enum TeeKind",
        "name": "tee",
        "type": "uint8"
      },
      {
        "internalType": "bytes6",
        "name": "fmspc",
        "type": "bytes6"
      },
      {
        "internalType": "enum PckCa",
        "name": "ca",
        "type": "uint8"
      }
    ],
    "name": "documentsOf",
    "outputs": [
      {
        "components": [
          {
            "internalType": "bytes32",
            "name": "tcbInfo",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "qeIdentity",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "pckCrl",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "rootCrl",
            "type": "bytes32"
          }
        ],
        "internalType": "struct DcapDocuments",
        "name": "documents",
        "type": "tuple"
      },
      {
        "internalType": "uint40",
        "name": "validUntil",
        "type": "uint40"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "family",
        "type": "uint32"
      }
    ],
    "name": "familyStanding",
    "outputs": [
      {
        "components": [
          {
            "internalType": "uint32",
            "name": "epoch",
            "type": "uint32"
          },
          {
            "internalType": "uint40",
            "name": "changedAt",
            "type": "uint40"
          },
          {
            "internalType": "uint40",
            "name": "validUntil",
            "type": "uint40"
          }
        ],
        "internalType": "struct FamilyStanding",
        "name": "standing",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "enum PckCa",
        "name": "ca",
        "type": "uint8"
      },
      {
        "internalType": "uint256",
        "name": "serial",
        "type": "uint256"
      }
    ],
    "name": "isRevoked",
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
        "internalType": "enum PckCa",
        "name": "ca",
        "type": "uint8"
      },
      {
        "internalType": "uint32",
        "name": "tag",
        "type": "uint32"
      }
    ],
    "name": "isTagRevoked",
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
        "components": [
          {
            "internalType": "enum TeeKind",
            "name": "tee",
            "type": "uint8"
          },
          {
            "internalType": "enum PckCa",
            "name": "ca",
            "type": "uint8"
          },
          {
            "internalType": "uint256",
            "name": "serial",
            "type": "uint256"
          },
          {
            "internalType": "bytes6",
            "name": "fmspc",
            "type": "bytes6"
          },
          {
            "internalType": "bytes2",
            "name": "pceId",
            "type": "bytes2"
          },
          {
            "internalType": "uint16",
            "name": "pceSvn",
            "type": "uint16"
          },
          {
            "internalType": "bytes16",
            "name": "sgxSvns",
            "type": "bytes16"
          },
          {
            "internalType": "bytes4",
            "name": "qeMiscSelect",
            "type": "bytes4"
          },
          {
            "internalType": "bytes16",
            "name": "qeAttributes",
            "type": "bytes16"
          },
          {
            "internalType": "bytes32",
            "name": "qeMrSigner",
            "type": "bytes32"
          },
          {
            "internalType": "uint16",
            "name": "qeIsvProdId",
            "type": "uint16"
          },
          {
            "internalType": "uint16",
            "name": "qeIsvSvn",
            "type": "uint16"
          },
          {
            "internalType": "bytes16",
            "name": "teeTcbSvn",
            "type": "bytes16"
          },
          {
            "internalType": "bytes32",
            "name": "seamIdentity",
            "type": "bytes32"
          },
          {
            "internalType": "bytes8",
            "name": "seamAttributes",
            "type": "bytes8"
          }
        ],
        "internalType": "struct PlatformTcb",
        "name": "platform",
        "type": "tuple"
      }
    ],
    "name": "judge",
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
            "internalType": "uint32",
            "name": "family",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "epoch",
            "type": "uint32"
          }
        ],
        "internalType": "struct Judgement",
        "name": "judgement",
        "type": "tuple"
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
    "name": "parser",
    "outputs": [
      {
        "internalType": "contract TcbParser",
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
    "inputs": [
      {
        "internalType": "bytes",
        "name": "der",
        "type": "bytes"
      }
    ],
    "name": "putCertificate",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes",
        "name": "der",
        "type": "bytes"
      }
    ],
    "name": "putCrl",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes",
        "name": "json",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "putQeIdentity",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes",
        "name": "json",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "signature",
        "type": "bytes"
      }
    ],
    "name": "putTcbInfo",
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
        "internalType": "bytes6",
        "name": "fmspc",
        "type": "bytes6"
      },
      {
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      },
      {
        "internalType": "uint40",
        "name": "effectiveAt",
        "type": "uint40"
      }
    ],
    "name": "setMinEvaluationNumber",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "simulated",
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
        "internalType": "address",
        "name": "newOwner",
        "type": "address"
      }
    ],
    "name": "transferOwnership",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  }
] as const;
