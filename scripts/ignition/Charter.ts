import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

/**
 * The whole deployment. Everything that governance governs belongs to the Timelock from its first block; the deployer
 * keeps nothing: its only role, wiring the Timelock, is renounced at the end.
 */
export default buildModule("Charter", (m) => {
  const deployer = m.getAccount(0);

  const votes = m.contract("CharterVotes", [
    m.getParameter("votesHolder"),
    m.getParameter("votesSupply", 1_000_000n * 10n ** 18n),
  ]);
  const timelock = m.contract("CharterTimelock", [m.getParameter("timelockDelaySeconds"), [], [], deployer]);
  const governor = m.contract("CharterGovernor", [
    votes,
    timelock,
    m.getParameter("votingDelaySeconds"),
    m.getParameter("votingPeriodSeconds"),
    m.getParameter("proposalThreshold", 0n),
    m.getParameter("quorumPercent", 4n),
  ]);

  const roles = ["PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE"].map((role) =>
    m.call(timelock, "grantRole", [m.staticCall(timelock, role, [], 0, { id: `read_${role}` }), governor], {
      id: `grant_${role}`,
    }),
  );
  const adminRole = m.staticCall(timelock, "DEFAULT_ADMIN_ROLE");
  m.call(timelock, "renounceRole", [adminRole, deployer], { after: roles });

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
  const zero = `0x${"0".repeat(64)}`;
  const dcapCollateral = m.contract("DcapCollateral", [
    timelock,
    m.getParameter("testRootX", zero),
    m.getParameter("testRootY", zero),
  ]);
  const dcapVerifier = m.contract("DcapVerifier", [dcapCollateral]);
  const nodeRegistry = m.contract("NodeRegistry", [
    timelock,
    m.getParameter("maxKeysPerPlatform", 8),
    [committeeVerifier, dcapVerifier],
  ]);
  const attestationLedger = m.contract("AttestationLedger", [
    timelock,
    appRegistry,
    nodeRegistry,
    [committeeVerifier, dcapVerifier],
  ]);

  const dstackKms = m.contract("DstackKms", [timelock, appRegistry]);

  return {
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
