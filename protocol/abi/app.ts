// Generated from App and AppAuth by scripts/generateAbis.mjs; do not edit.
export const appAbi = [
  {
    "inputs": [],
    "name": "acceptOwnership",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "cancelGuardianChange",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "enum SettingKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "bytes32",
        "name": "key",
        "type": "bytes32"
      }
    ],
    "name": "cancelLoosening",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "control",
    "outputs": [
      {
        "components": [
          {
            "internalType": "address",
            "name": "owner",
            "type": "address"
          },
          {
            "internalType": "enum OwnerCode",
            "name": "ownerCode",
            "type": "uint8"
          },
          {
            "internalType": "address",
            "name": "pendingOwner",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "guardian",
            "type": "address"
          },
          {
            "internalType": "address",
            "name": "pendingGuardian",
            "type": "address"
          },
          {
            "internalType": "uint40",
            "name": "pendingGuardianAt",
            "type": "uint40"
          },
          {
            "internalType": "enum Level",
            "name": "level",
            "type": "uint8"
          },
          {
            "internalType": "uint32",
            "name": "noticeSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "noticeFloorSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "graceSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint40",
            "name": "earliestNewReleaseAt",
            "type": "uint40"
          },
          {
            "internalType": "uint40",
            "name": "nextChangeAt",
            "type": "uint40"
          }
        ],
        "internalType": "struct Control",
        "name": "c",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      }
    ],
    "name": "evidenceTerms",
    "outputs": [
      {
        "internalType": "uint32",
        "name": "release",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "maxAgeBlocks",
        "type": "uint32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "head",
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
        "components": [
          {
            "internalType": "uint32",
            "name": "noticeSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "graceSeconds",
            "type": "uint32"
          },
          {
            "internalType": "bytes32",
            "name": "composeHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "noteDigest",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "internalType": "enum SettingKind",
                "name": "kind",
                "type": "uint8"
              },
              {
                "internalType": "bytes32",
                "name": "key",
                "type": "bytes32"
              },
              {
                "internalType": "uint256",
                "name": "value",
                "type": "uint256"
              }
            ],
            "internalType": "struct Setting[]",
            "name": "settings",
            "type": "tuple[]"
          }
        ],
        "internalType": "struct AppSettings",
        "name": "settings",
        "type": "tuple"
      }
    ],
    "name": "initialize",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      }
    ],
    "name": "isReleaseAllowed",
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
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "isReleaseNumberAllowed",
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
            "internalType": "uint32",
            "name": "release",
            "type": "uint32"
          },
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
            "internalType": "bool",
            "name": "gpu",
            "type": "bool"
          },
          {
            "internalType": "uint8",
            "name": "proofSystems",
            "type": "uint8"
          },
          {
            "internalType": "bool",
            "name": "simulated",
            "type": "bool"
          }
        ],
        "internalType": "struct Facts",
        "name": "facts",
        "type": "tuple"
      }
    ],
    "name": "judge",
    "outputs": [
      {
        "internalType": "enum Reason",
        "name": "",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "lastRelease",
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
    "name": "liveReleases",
    "outputs": [
      {
        "components": [
          {
            "internalType": "uint32",
            "name": "number",
            "type": "uint32"
          },
          {
            "internalType": "uint40",
            "name": "activatesAt",
            "type": "uint40"
          },
          {
            "internalType": "uint40",
            "name": "endsAt",
            "type": "uint40"
          }
        ],
        "internalType": "struct LiveRelease[]",
        "name": "releases",
        "type": "tuple[]"
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
            "internalType": "enum SettingKind",
            "name": "kind",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "key",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "value",
            "type": "uint256"
          }
        ],
        "internalType": "struct Setting[]",
        "name": "changes",
        "type": "tuple[]"
      }
    ],
    "name": "loosen",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "maxEvidenceAgeBlocks",
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
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      },
      {
        "internalType": "bytes32",
        "name": "noteDigest",
        "type": "bytes32"
      },
      {
        "internalType": "uint32",
        "name": "expectedPredecessor",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "graceSeconds",
        "type": "uint32"
      }
    ],
    "name": "propose",
    "outputs": [
      {
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "enum Level",
        "name": "newLevel",
        "type": "uint8"
      }
    ],
    "name": "raiseLevel",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "rebuilds",
    "outputs": [
      {
        "internalType": "uint8",
        "name": "required",
        "type": "uint8"
      },
      {
        "internalType": "uint8",
        "name": "matching",
        "type": "uint8"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "registry",
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
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      }
    ],
    "name": "releaseOf",
    "outputs": [
      {
        "components": [
          {
            "internalType": "uint32",
            "name": "number",
            "type": "uint32"
          },
          {
            "internalType": "uint40",
            "name": "activatesAt",
            "type": "uint40"
          },
          {
            "internalType": "uint40",
            "name": "endsAt",
            "type": "uint40"
          }
        ],
        "internalType": "struct LiveRelease",
        "name": "release",
        "type": "tuple"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "replicas",
    "outputs": [
      {
        "internalType": "uint16",
        "name": "replicas_",
        "type": "uint16"
      },
      {
        "internalType": "bytes32",
        "name": "selectorDigest",
        "type": "bytes32"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      },
      {
        "internalType": "bytes32",
        "name": "builtHash",
        "type": "bytes32"
      }
    ],
    "name": "reportRebuild",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "revoke",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      }
    ],
    "name": "revokeByHash",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "newGuardian",
        "type": "address"
      }
    ],
    "name": "setGuardian",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "uint16",
        "name": "replicas_",
        "type": "uint16"
      },
      {
        "components": [
          {
            "internalType": "uint8",
            "name": "teeKinds",
            "type": "uint8"
          },
          {
            "internalType": "bool",
            "name": "gpu",
            "type": "bool"
          },
          {
            "internalType": "address[]",
            "name": "operators",
            "type": "address[]"
          }
        ],
        "internalType": "struct Selector",
        "name": "selector",
        "type": "tuple"
      }
    ],
    "name": "setReplicas",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "enum SettingKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "bytes32",
        "name": "key",
        "type": "bytes32"
      }
    ],
    "name": "setting",
    "outputs": [
      {
        "internalType": "uint256",
        "name": "value",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "pendingValue",
        "type": "uint256"
      },
      {
        "internalType": "uint40",
        "name": "effectiveAt",
        "type": "uint40"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes4",
        "name": "interfaceId",
        "type": "bytes4"
      }
    ],
    "name": "supportsInterface",
    "outputs": [
      {
        "internalType": "bool",
        "name": "",
        "type": "bool"
      }
    ],
    "stateMutability": "pure",
    "type": "function"
  },
  {
    "inputs": [
      {
        "components": [
          {
            "internalType": "enum SettingKind",
            "name": "kind",
            "type": "uint8"
          },
          {
            "internalType": "bytes32",
            "name": "key",
            "type": "bytes32"
          },
          {
            "internalType": "uint256",
            "name": "value",
            "type": "uint256"
          }
        ],
        "internalType": "struct Setting[]",
        "name": "changes",
        "type": "tuple[]"
      }
    ],
    "name": "tighten",
    "outputs": [],
    "stateMutability": "nonpayable",
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
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "veto",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "contract IAdvisorySets",
        "name": "advisorySets",
        "type": "address"
      },
      {
        "internalType": "contract IEndorsements",
        "name": "endorsements",
        "type": "address"
      }
    ],
    "stateMutability": "nonpayable",
    "type": "constructor"
  },
  {
    "inputs": [],
    "name": "AlreadyInitialized",
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
        "internalType": "address",
        "name": "rebuilder",
        "type": "address"
      }
    ],
    "name": "AlreadyReported",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "limitSeconds",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "actual",
        "type": "uint32"
      }
    ],
    "name": "GraceTooLong",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "guardian",
        "type": "address"
      }
    ],
    "name": "GuardianUnchanged",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum Level",
        "name": "asked",
        "type": "uint8"
      },
      {
        "internalType": "string",
        "name": "what",
        "type": "string"
      }
    ],
    "name": "LevelBlocked",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum Level",
        "name": "level",
        "type": "uint8"
      },
      {
        "internalType": "bytes4",
        "name": "action",
        "type": "bytes4"
      }
    ],
    "name": "LevelForbids",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum Level",
        "name": "current",
        "type": "uint8"
      },
      {
        "internalType": "enum Level",
        "name": "asked",
        "type": "uint8"
      }
    ],
    "name": "LevelNotRaised",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NoGuardianChangePending",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NoProofSystemLeft",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "NoRebuildsDemanded",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "NoTimeToRebuild",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum SettingKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "bytes32",
        "name": "key",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "current",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "asked",
        "type": "uint256"
      }
    ],
    "name": "NotALoosening",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "actual",
        "type": "address"
      },
      {
        "internalType": "uint16",
        "name": "version",
        "type": "uint16"
      }
    ],
    "name": "NotARebuilder",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum SettingKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "bytes32",
        "name": "key",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "current",
        "type": "uint256"
      },
      {
        "internalType": "uint256",
        "name": "asked",
        "type": "uint256"
      }
    ],
    "name": "NotATightening",
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
    "name": "NotOwner",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "address",
        "name": "owner",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "guardian",
        "type": "address"
      },
      {
        "internalType": "address",
        "name": "actual",
        "type": "address"
      }
    ],
    "name": "NotOwnerOrGuardian",
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
    "name": "NotPendingOwner",
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
    "name": "NotRegistry",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum SettingKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "bytes32",
        "name": "key",
        "type": "bytes32"
      }
    ],
    "name": "NothingPending",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "floorSeconds",
        "type": "uint32"
      },
      {
        "internalType": "uint256",
        "name": "actual",
        "type": "uint256"
      }
    ],
    "name": "NoticeBelowFloor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "limitSeconds",
        "type": "uint32"
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
    "inputs": [
      {
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "ReleaseNotLive",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "ReleaseNotPending",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "ReleasePending",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      },
      {
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      }
    ],
    "name": "ReleaseStillLive",
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
    "name": "TooFewRebuilders",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "TooManyPending",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint256",
        "name": "limit",
        "type": "uint256"
      }
    ],
    "name": "TooManyRebuilders",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "uint32",
        "name": "expected",
        "type": "uint32"
      },
      {
        "internalType": "uint32",
        "name": "actual",
        "type": "uint32"
      }
    ],
    "name": "UnexpectedPredecessor",
    "type": "error"
  },
  {
    "inputs": [
      {
        "internalType": "enum SettingKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "internalType": "bytes32",
        "name": "key",
        "type": "bytes32"
      },
      {
        "internalType": "uint256",
        "name": "value",
        "type": "uint256"
      }
    ],
    "name": "UnknownSetting",
    "type": "error"
  },
  {
    "inputs": [],
    "name": "ZeroComposeHash",
    "type": "error"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "registry",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "owner",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "guardian",
        "type": "address"
      },
      {
        "components": [
          {
            "internalType": "uint32",
            "name": "noticeSeconds",
            "type": "uint32"
          },
          {
            "internalType": "uint32",
            "name": "graceSeconds",
            "type": "uint32"
          },
          {
            "internalType": "bytes32",
            "name": "composeHash",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "noteDigest",
            "type": "bytes32"
          },
          {
            "components": [
              {
                "internalType": "enum SettingKind",
                "name": "kind",
                "type": "uint8"
              },
              {
                "internalType": "bytes32",
                "name": "key",
                "type": "bytes32"
              },
              {
                "internalType": "uint256",
                "name": "value",
                "type": "uint256"
              }
            ],
            "internalType": "struct Setting[]",
            "name": "settings",
            "type": "tuple[]"
          }
        ],
        "indexed": false,
        "internalType": "struct AppSettings",
        "name": "settings",
        "type": "tuple"
      }
    ],
    "name": "AppInitialized",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      }
    ],
    "name": "ComposeHashAdded",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      }
    ],
    "name": "ComposeHashRemoved",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "deviceId",
        "type": "bytes32"
      }
    ],
    "name": "DeviceAdded",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "deviceId",
        "type": "bytes32"
      }
    ],
    "name": "DeviceRemoved",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "guardian",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "cancelled",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "GuardianChangeCancelled",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "oldGuardian",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "newGuardian",
        "type": "address"
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
    "name": "GuardianChanged",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": false,
        "internalType": "enum Level",
        "name": "oldLevel",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "enum Level",
        "name": "newLevel",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "noticeFloorSeconds",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "LevelRaised",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "enum SettingKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "key",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "value",
        "type": "uint256"
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
    "name": "LooseningCancelled",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "address",
        "name": "oldOwner",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "newOwner",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
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
        "name": "oldOwner",
        "type": "address"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "newOwner",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
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
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      },
      {
        "indexed": true,
        "internalType": "address",
        "name": "rebuilder",
        "type": "address"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "builtHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bool",
        "name": "matches",
        "type": "bool"
      },
      {
        "indexed": false,
        "internalType": "uint8",
        "name": "matching",
        "type": "uint8"
      }
    ],
    "name": "RebuildReported",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint8",
        "name": "required",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "uint8",
        "name": "rebuilders",
        "type": "uint8"
      },
      {
        "indexed": false,
        "internalType": "uint16",
        "name": "version",
        "type": "uint16"
      }
    ],
    "name": "RebuildsDemanded",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "bytes32",
        "name": "noteDigest",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "activatesAt",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "graceSeconds",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "predecessor",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "predecessorEndsAt",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "cutRelease",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "ReleaseProposed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "oldEndsAt",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "endsAt",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "restored",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "restoredEndsAt",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "ReleaseRevoked",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "uint32",
        "name": "number",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint32",
        "name": "predecessor",
        "type": "uint32"
      },
      {
        "indexed": false,
        "internalType": "uint40",
        "name": "predecessorEndsAt",
        "type": "uint40"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "ReleaseVetoed",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": false,
        "internalType": "uint16",
        "name": "oldReplicas",
        "type": "uint16"
      },
      {
        "indexed": false,
        "internalType": "uint16",
        "name": "newReplicas",
        "type": "uint16"
      },
      {
        "components": [
          {
            "internalType": "uint8",
            "name": "teeKinds",
            "type": "uint8"
          },
          {
            "internalType": "bool",
            "name": "gpu",
            "type": "bool"
          },
          {
            "internalType": "address[]",
            "name": "operators",
            "type": "address[]"
          }
        ],
        "indexed": false,
        "internalType": "struct Selector",
        "name": "selector",
        "type": "tuple"
      },
      {
        "indexed": false,
        "internalType": "address",
        "name": "actor",
        "type": "address"
      }
    ],
    "name": "ReplicasChanged",
    "type": "event"
  },
  {
    "anonymous": false,
    "inputs": [
      {
        "indexed": true,
        "internalType": "enum SettingKind",
        "name": "kind",
        "type": "uint8"
      },
      {
        "indexed": true,
        "internalType": "bytes32",
        "name": "key",
        "type": "bytes32"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "oldValue",
        "type": "uint256"
      },
      {
        "indexed": false,
        "internalType": "uint256",
        "name": "newValue",
        "type": "uint256"
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
    "name": "SettingChanged",
    "type": "event"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      }
    ],
    "name": "addComposeHash",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "deviceId",
        "type": "bytes32"
      }
    ],
    "name": "addDevice",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [],
    "name": "allowAnyDevice",
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
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      }
    ],
    "name": "allowedComposeHashes",
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
        "internalType": "bytes32",
        "name": "deviceId",
        "type": "bytes32"
      }
    ],
    "name": "allowedDeviceIds",
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
            "internalType": "address",
            "name": "appId",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "composeHash",
            "type": "bytes32"
          },
          {
            "internalType": "address",
            "name": "instanceId",
            "type": "address"
          },
          {
            "internalType": "bytes32",
            "name": "deviceId",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "mrAggregated",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "mrSystem",
            "type": "bytes32"
          },
          {
            "internalType": "bytes32",
            "name": "osImageHash",
            "type": "bytes32"
          },
          {
            "internalType": "string",
            "name": "tcbStatus",
            "type": "string"
          },
          {
            "internalType": "string[]",
            "name": "advisoryIds",
            "type": "string[]"
          }
        ],
        "internalType": "struct AppBootInfo",
        "name": "bootInfo",
        "type": "tuple"
      }
    ],
    "name": "isAppAllowed",
    "outputs": [
      {
        "internalType": "bool",
        "name": "isAllowed",
        "type": "bool"
      },
      {
        "internalType": "string",
        "name": "reason",
        "type": "string"
      }
    ],
    "stateMutability": "view",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "composeHash",
        "type": "bytes32"
      }
    ],
    "name": "removeComposeHash",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bytes32",
        "name": "deviceId",
        "type": "bytes32"
      }
    ],
    "name": "removeDevice",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  },
  {
    "inputs": [
      {
        "internalType": "bool",
        "name": "allowed",
        "type": "bool"
      }
    ],
    "name": "setAllowAnyDevice",
    "outputs": [],
    "stateMutability": "nonpayable",
    "type": "function"
  }
] as const;
