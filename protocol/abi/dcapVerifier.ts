// Generated from DcapVerifier by scripts/generateAbis.mjs; do not edit.
export const dcapVerifierAbi = [
  {
    "inputs": [
      {
        "internalType": "contract IDcapCollateral",
        "name": "collateral_",
        "type": "address"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "constructor"
  },
  {
    "inputs": [
      {
        "internalType": "bytes8",
        "name": "attributes",
        "type": "bytes8"
      }
    ],
    "name": "AttributesNotAllowed",
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
    "name": "BadClaim",
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
    "name": "BadQuote",
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
        "internalType": "bytes32",
        "name": "mrConfigIdHigh",
        "type": "bytes32"
      }
    ],
    "name": "ComposeHashNotBound",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes8",
        "name": "attributes",
        "type": "bytes8"
      }
    ],
    "name": "Debuggable",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint64",
        "name": "evidenceBlock",
        "type": "uint64"
      }
    ],
    "name": "EvidenceBlockUnknown",
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
    "name": "PckNotValid",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "PckSignatureInvalid",
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
    "name": "QeReportDataMismatch",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "QeSignatureInvalid",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "QuoteSignatureInvalid",
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
    "name": "RecordMismatch",
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
    "name": "ReportDataMismatch",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint8",
        "name": "bits",
        "type": "uint8"
      },
      {
        "internalType": "uint256",
        "name": "value",
        "type": "uint256"
      }
    ],
    "name": "SafeCastOverflowedUintDowncast",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ServiceTdBound",
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
        "internalType": "uint16",
        "name": "version",
        "type": "uint16"
      },
      {
        "internalType": "uint16",
        "name": "keyType",
        "type": "uint16"
      },
      {
        "internalType": "uint32",
        "name": "tee",
        "type": "uint32"
      },
      {
        "internalType": "bytes16",
        "name": "vendor",
        "type": "bytes16"
      }
    ],
    "name": "UnsupportedQuote",
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
    "name": "WrongApp",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes8",
        "name": "xfam",
        "type": "bytes8"
      }
    ],
    "name": "XfamNotAllowed",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "uint32",
        "name": "record",
        "type": "uint32"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "platformId",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes",
        "name": "facts",
        "type": "bytes"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "PlatformRecorded",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "uint32",
        "name": "record",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "enum TcbStatus",
        "name": "oldStatus",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "enum TcbStatus",
        "name": "newStatus",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "advisoriesDigest",
        "type": "bytes32"
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
    "name": "RecordJudged",
    "type": "event"
  },
  {
    "inputs": [],
    "name": "collateral",
    "outputs": [
      {
        "internalType": "contract IDcapCollateral",
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
    "inputs": [],
    "name": "recordCount",
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
    "inputs": [
      {
        "internalType": "uint32",
        "name": "record",
        "type": "uint32"
      },
      {
        "internalType": "bytes",
        "name": "facts",
        "type": "bytes"
      }
    ],
    "name": "rejudge",
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
        "name": "result",
        "type": "tuple"
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
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes",
        "name": "quote",
        "type": "bytes"
      }
    ],
    "name": "verifyQuote",
    "outputs": [
      {
        "components": [
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
            "name": "platformId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "evidenceDigest",
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
            "internalType": "bytes32",
            "name": "measurements",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "mrConfigIdHigh",
            "type": "bytes32"
          },
          {
            "internalType": "bytes16",
            "name": "mrConfigIdLow",
            "type": "bytes16"
          },
          {
            "internalType": "bytes32",
            "name": "reportDataHigh",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "reportDataLow",
            "type": "bytes32"
          },
          {
            "internalType": "uint40",
            "name": "validUntil",
            "type": "uint40"
          },
          {
            "internalType": "uint40",
            "name": "pckNotAfter",
            "type": "uint40"
          },
          {
            "internalType": "bool",
            "name": "simulated",
            "type": "bool"
          },
          {
            "internalType": "uint32",
            "name": "record",
            "type": "uint32"
          }
        ],
        "internalType": "struct QuoteResult",
        "name": "result",
        "type": "tuple"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  }
] as const;
