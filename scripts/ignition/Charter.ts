import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

/** Makers of zero-knowledge proofs whose verifier stands on the chain: their adapters are deployed, and ZkVerifier. */
export interface ZkGateways {
  readonly sp1: boolean;
  readonly riscZero: boolean;
}

/** Every role of the Timelock that its first operation needs the deployer to have. */
const DEPLOYERS_ROLES = ["PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE", "DEFAULT_ADMIN_ROLE"] as const;
const GOVERNORS_ROLES = ["PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE"] as const;
const ZERO = `0x${"0".repeat(64)}`;

/**
 * The whole deployment. Everything that governance governs belongs to the Timelock from its first block. The Timelock's
 * first operation, before it has any delay, does what only an owner can: it names the disputes to the committee, sets
 * the delay, and takes every role from the deployer, who keeps nothing.
 * @param zk absent gateways are not deployed; with none there is no ZkVerifier.
 */
export const charterModule = ({ sp1, riscZero }: ZkGateways): ReturnType<typeof buildModule> =>
  buildModule("Charter", (m) => {
    const deployer = m.getAccount(0);

    const votes = m.contract("CharterVotes", [
      m.getParameter("votesHolder"),
      m.getParameter("votesSupply", 1_000_000n * 10n ** 18n),
    ]);
    const timelock = m.contract("CharterTimelock", [0, [deployer], [deployer], deployer]);
    const governor = m.contract("CharterGovernor", [
      votes,
      timelock,
      m.getParameter("votingDelaySeconds"),
      m.getParameter("votingPeriodSeconds"),
      m.getParameter("proposalThreshold", 0n),
      m.getParameter("quorumPercent", 4n),
    ]);

    const roles = Object.fromEntries(
      DEPLOYERS_ROLES.map((role) => [role, m.staticCall(timelock, role, [], 0, { id: `read_${role}` })]),
    ) as Record<(typeof DEPLOYERS_ROLES)[number], ReturnType<typeof m.staticCall>>;
    const granted = GOVERNORS_ROLES.map((role) =>
      m.call(timelock, "grantRole", [roles[role], governor], { id: `grant_${role}` }),
    );

    const advisorySets = m.contract("AdvisorySets");
    const endorsements = m.contract("Endorsements");
    const appRegistry = m.contract("AppRegistry", [advisorySets, endorsements]);
    const committeeVerifier = m.contract("CommitteeVerifier", [
      timelock,
      m.getParameter("committeeMembers"),
      m.getParameter("committeeThreshold"),
      m.getParameter("committeeExpiresAt"),
      m.getParameter("committeeNoticeSeconds", 2 * 86_400),
    ]);
    // Intel's root unless a development chain names the key of a test root.
    const dcapCollateral = m.contract("DcapCollateral", [
      timelock,
      m.getParameter("testRootX", ZERO),
      m.getParameter("testRootY", ZERO),
    ]);
    const dcapVerifier = m.contract("DcapVerifier", [dcapCollateral]);
    const zkVerifier =
      sp1 || riscZero
        ? m.contract("ZkVerifier", [timelock, dcapCollateral, m.getParameter("zkNoticeSeconds", 2 * 86_400)])
        : undefined;
    const verifiers = [committeeVerifier, dcapVerifier, ...(zkVerifier ? [zkVerifier] : [])];
    const nodeRegistry = m.contract("NodeRegistry", [
      timelock,
      m.getParameter("maxKeysPerPlatform", 8),
      verifiers,
    ]);
    const attestationLedger = m.contract("AttestationLedger", [
      timelock,
      appRegistry,
      nodeRegistry,
      verifiers,
    ]);
    const committeeDisputes = m.contract("CommitteeDisputes", [
      committeeVerifier,
      dcapVerifier,
      attestationLedger,
    ]);

    const first = [
      [committeeVerifier, m.encodeFunctionCall(committeeVerifier, "setDisputes", [committeeDisputes])],
      [timelock, m.encodeFunctionCall(timelock, "updateDelay", [m.getParameter("timelockDelaySeconds")])],
      ...DEPLOYERS_ROLES.map((role) => [
        timelock,
        m.encodeFunctionCall(timelock, "revokeRole", [roles[role], deployer], {
          id: `encode_revoke_${role}`,
        }),
      ]),
    ] as const;
    const operation = [
      first.map(([target]) => target),
      first.map(() => 0),
      first.map(([, call]) => call),
      ZERO,
      ZERO,
    ];
    const scheduled = m.call(timelock, "scheduleBatch", [...operation, 0], { after: granted });
    m.call(timelock, "executeBatch", operation, { after: [scheduled] });

    const dstackKms = m.contract("DstackKms", [timelock, appRegistry]);

    return {
      ...(zkVerifier ? { zkVerifier } : {}),
      ...(sp1 ? { sp1Adapter: m.contract("Sp1Adapter", [m.getParameter("sp1Gateway")]) } : {}),
      ...(riscZero
        ? { riscZeroAdapter: m.contract("RiscZeroAdapter", [m.getParameter("riscZeroRouter")]) }
        : {}),
      committeeDisputes,
      dstackKms,
      votes,
      timelock,
      governor,
      advisorySets,
      endorsements,
      appRegistry,
      committeeVerifier,
      dcapCollateral,
      dcapVerifier,
      nodeRegistry,
      attestationLedger,
    };
  });

/** Without proofs in zero knowledge: what parameters that name no gateway give. */
export default charterModule({ sp1: false, riscZero: false });
