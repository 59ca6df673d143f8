// Generated from CommitteeDisputes by scripts/generateAbis.mjs; do not edit.
export const committeeDisputesAbi = [
  {
    "inputs": [
      {
        "internalType": "contract ICommitteeVerifier",
        "name": "committee",
        "type": "address"
      },
      {
        "internalType": "contract IDcapVerifier",
        "name": "direct",
        "type": "address"
      },
      {
        "internalType": "contract IDisputedLedger",
        "name": "ledger",
        "type": "address"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "constructor"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "actual",
        "type": "bytes32"
      }
    ],
    "name": "BadClaimPreimage",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "mrConfigIdHigh",
        "type": "bytes32"
      }
    ],
    "name": "BadMrConfigIdPreimage",
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
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "evidenceDigest",
        "type": "bytes32"
      }
    ],
    "name": "NoContradiction",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NoSignatures",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "actual",
        "type": "bytes32"
      }
    ],
    "name": "OtherEvidence",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint64",
        "name": "minBlock",
        "type": "uint64"
      },
      {
        "internalType": "bytes32",
        "name": "expected",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "actual",
        "type": "bytes32"
      }
    ],
    "name": "OtherFork",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "evidenceDigest",
        "type": "bytes32"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "statement",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "enum Contradiction",
        "name": "contradiction",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "address[]",
        "name": "signers",
        "type": "address[]"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "Disputed",
    "type": "event"
  },
  {
    "inputs": [],
    "name": "attestationLedger",
    "outputs": [
      {
        "internalType": "contract IDisputedLedger",
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "committeeVerifier",
    "outputs": [
      {
        "internalType": "contract ICommitteeVerifier",
        "name": "",
        "type": "address"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "dcapVerifier",
    "outputs": [
      {
        "internalType": "contract IDcapVerifier",
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
        "components": [
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
        "internalType": "struct BatchTerms",
        "name": "batch",
        "type": "tuple"
      },
      {
        "components": [
          {
            "internalType": "address",
            "name": "app",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "key",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "facts",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "evidenceDigest",
            "type": "bytes32"
          }
        ],
        "internalType": "struct Leaf",
        "name": "leaf",
        "type": "tuple"
      },
      {
        "internalType": "bytes32[]",
        "name": "proof",
        "type": "bytes32[]"
      },
      {
        "internalType": "bytes[]",
        "name": "signatures",
        "type": "bytes[]"
      },
      {
        "internalType": "bytes",
        "name": "quote",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "mrConfigIdPreimage",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "claimPreimage",
        "type": "bytes"
      }
    ],
    "name": "disputeLeaf",
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
      },
      {
        "internalType": "bytes[]",
        "name": "signatures",
        "type": "bytes[]"
      },
      {
        "internalType": "bytes",
        "name": "quote",
        "type": "bytes"
      },
      {
        "internalType": "bytes",
        "name": "mrConfigIdPreimage",
        "type": "bytes"
      }
    ],
    "name": "disputeVerdict",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  }
] as const;
