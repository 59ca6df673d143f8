import { expect } from "chai";
import { id, parseEther, Signature, toBeHex, ZeroAddress, ZeroHash, type Wallet } from "ethers";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { Reason } from "../../../protocol/policy/reason.ts";
import { ProofSystem, TcbStatus } from "../../../protocol/words/enums.ts";
import type { LiveSigner, VerifierDouble } from "../../../types/typechain/index.ts";
import { useCharter } from "../support/chains.ts";
import { openChain, walletOf, type Charter } from "../support/charter.ts";
import { attestVerdict, createApp, POLICY, register, word } from "../support/flows.ts";
import { doubleProof, instanceVerdict, PLATFORM } from "../support/verdicts.ts";

const ORDER_TYPES = {
  Order: [
    { name: "key", type: "address" },
    { name: "token", type: "address" },
    { name: "to", type: "address" },
    { name: "amount", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint40" },
  ],
};
const FAR = 3_000_000_000n;
const DIRECT = BigInt(ProofSystem.Direct);
const RECORD = 1n;
const REVIEW_SECONDS = 3_600n;
/** What the direct verifier says of the platform's record while all is well. */
const WELL = {
  status: TcbStatus.UpToDate,
  advisoriesDigest: ZeroHash,
  validUntil: FAR,
  staleSince: 0n,
  revoked: false,
};
const SETTINGS = [
  ...POLICY.filter(({ kind }) => kind !== SettingKind.ProofSystem),
  { kind: SettingKind.ProofSystem, key: word(ProofSystem.Direct), value: 1n },
  { kind: SettingKind.ReviewSeconds, key: ZeroHash, value: REVIEW_SECONDS },
];
const FUNDS = parseEther("10");

interface Order {
  key: string;
  token: string;
  to: string;
  amount: bigint;
  nonce: bigint;
  deadline: bigint;
}

interface Place {
  chainId?: bigint;
  vault?: string;
}

/** Proves an instance of the app by direct evidence, which rests on the platform's record. */
async function enter(charter: Charter, app: string, key: Wallet): Promise<void> {
  const verdict = await instanceVerdict(charter, app, key, { validUntil: FAR });
  await attestVerdict(charter, verdict, key, { system: DIRECT, proof: doubleProof(verdict, RECORD) });
}

describe("LiveSigner", () => {
  const key = walletOf("agent");
  const receiver = walletOf("receiver").address;
  const scene = useCharter(async (charter) => {
    const { ethers, networkHelpers } = charter.connection;
    const direct = (await ethers.deployContract("VerifierDouble", [DIRECT])) as unknown as VerifierDouble;
    await direct.tell(RECORD, WELL);
    await charter.attestationLedger.setVerifier(DIRECT, await direct.getAddress());
    const app = await createApp(charter, { settings: SETTINGS });
    const at = await app.getAddress();
    await register(charter, walletOf("node key"), { validUntil: FAR });
    await enter(charter, at, key);
    const vault = (await ethers.deployContract("LiveSigner", [
      await charter.attestationLedger.getAddress(),
      at,
    ])) as unknown as LiveSigner;
    await charter.owner.sendTransaction({ to: vault, value: FUNDS });
    return { app, at, direct, vault, time: networkHelpers.time };
  });

  const order = (over: Partial<Order> = {}): Order => ({
    key: key.address,
    token: ZeroAddress,
    to: receiver,
    amount: 1n,
    nonce: 0n,
    deadline: FAR,
    ...over,
  });

  async function sign(
    charter: Charter,
    vault: LiveSigner,
    signed: Order,
    signer: Wallet = key,
    at: Place = {},
  ) {
    const domain = {
      name: "Charter LiveSigner",
      version: "1",
      chainId: at.chainId ?? charter.chainId,
      verifyingContract: at.vault ?? (await vault.getAddress()),
    };
    return signer.signTypedData(domain, ORDER_TYPES, signed);
  }

  /** Sends an order that is signed as it should be. */
  async function release(charter: Charter, vault: LiveSigner, over: Partial<Order> = {}) {
    const signed = order(over);
    return vault.connect(charter.stranger).release(signed, await sign(charter, vault, signed));
  }

  describe("release", () => {
    it("release_byALiveInstance_paysAndEmits", async () => {
      const { charter, vault } = await scene();
      const amount = parseEther("1");
      const sent = release(charter, vault, { amount });
      await expect(sent).to.changeEtherBalances(
        charter.connection.ethers,
        [vault, receiver],
        [-amount, amount],
      );
      await expect(sent)
        .to.emit(vault, "Released")
        .withArgs(key.address, ZeroAddress, receiver, amount, 0, charter.stranger.address);
      expect(await vault.nonces(key.address)).to.equal(1);
      await release(charter, vault, { nonce: 1n });
    });

    it("release_ofAToken_paysInIt", async () => {
      const { charter, vault } = await scene();
      const token = await charter.connection.ethers.deployContract("CharterVotes", [
        await vault.getAddress(),
        50,
      ]);
      const at = await token.getAddress();
      await expect(release(charter, vault, { token: at, amount: 20n })).to.changeTokenBalances(
        charter.connection.ethers,
        token,
        [vault, receiver],
        [-20, 20],
      );
      await expect(
        release(charter, vault, { token: at, amount: 31n, nonce: 1n }),
      ).to.be.revertedWithCustomError(token, "ERC20InsufficientBalance");
    });

    it("release_byAnInstanceAfterItsPredecessorDied_paysToo", async () => {
      const { charter, at, vault, time } = await scene();
      await time.increase(8 * 86_400);
      await expect(release(charter, vault)).to.be.revertedWithCustomError(
        charter.attestationLedger,
        "NotLive",
      );
      const next = walletOf("the next agent");
      await enter(charter, at, next);
      const signed = order({ key: next.address });
      await vault.release(signed, await sign(charter, vault, signed, next));
    });

    it("release_replayed_reverts", async () => {
      const { charter, vault } = await scene();
      await release(charter, vault);
      await expect(release(charter, vault))
        .to.be.revertedWithCustomError(vault, "InvalidAccountNonce")
        .withArgs(key.address, 1);
    });

    it("release_outOfOrder_reverts", async () => {
      const { charter, vault } = await scene();
      await expect(release(charter, vault, { nonce: 1n }))
        .to.be.revertedWithCustomError(vault, "InvalidAccountNonce")
        .withArgs(key.address, 0);
    });

    it("release_replayedByTheReceiverWhileItIsPaid_paysOnce", async () => {
      const { charter, vault } = await scene();
      const receiving = await charter.connection.ethers.deployContract("ReenteringReceiver");
      const signed = order({ to: await receiving.getAddress(), amount: 5n });
      const signature = await sign(charter, vault, signed);
      const again = vault.interface.encodeFunctionData("release", [signed, signature]);
      await receiving.getFunction("arm")(again);
      await vault.release(signed, signature);
      expect(await receiving.getFunction("succeeded")()).to.equal(false);
      expect(await receiving.getFunction("answer")()).to.equal(
        vault.interface.encodeErrorResult("InvalidAccountNonce", [key.address, 1]),
      );
      expect(await charter.connection.ethers.provider.getBalance(receiving)).to.equal(5);
    });

    it("release_signedForAnotherChainOrVault_reverts", async () => {
      const { charter, vault } = await scene();
      for (const place of [{ chainId: 1n }, { vault: walletOf("another vault").address }]) {
        const signature = await sign(charter, vault, order(), key, place);
        await expect(vault.release(order(), signature)).to.be.revertedWithCustomError(vault, "WrongSigner");
      }
    });

    it("release_anyFieldOtherThanSigned_reverts", async () => {
      const { charter, vault } = await scene();
      const signature = await sign(charter, vault, order());
      for (const over of [
        { key: walletOf("other").address },
        { token: walletOf("other").address },
        { to: walletOf("other").address },
        { amount: 2n },
        { nonce: 1n },
        { deadline: FAR + 1n },
      ]) {
        await expect(vault.release(order(over), signature)).to.be.revertedWithCustomError(
          vault,
          "WrongSigner",
        );
      }
    });

    it("release_signatureMalleatedShortOrEmpty_reverts", async () => {
      const { charter, vault } = await scene();
      const { r, s, v } = Signature.from(await sign(charter, vault, order()));
      const curve = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
      const flipped = `${r}${toBeHex(curve - BigInt(s), 32).slice(2)}${v === 27 ? "1c" : "1b"}`;
      for (const signature of [flipped, `${r}${s.slice(2)}`, "0x"]) {
        await expect(vault.release(order(), signature))
          .to.be.revertedWithCustomError(vault, "WrongSigner")
          .withArgs(key.address, ZeroAddress);
      }
      // No key at all: what a failed recovery answers must not pass for an order of the zero address.
      await expect(vault.release(order({ key: ZeroAddress }), "0x")).to.be.revertedWithCustomError(
        vault,
        "WrongSigner",
      );
    });

    it("release_afterItsDeadline_reverts", async () => {
      const { charter, vault, time } = await scene();
      const deadline = BigInt(await time.latest()) + 100n;
      await time.setNextBlockTimestamp(deadline);
      await release(charter, vault, { deadline });
      await time.setNextBlockTimestamp(deadline + 1n);
      await expect(release(charter, vault, { deadline, nonce: 1n }))
        .to.be.revertedWithCustomError(vault, "OrderExpired")
        .withArgs(deadline, deadline + 1n);
    });

    it("release_toNobodyOrMoreThanThereIs_reverts", async () => {
      const { charter, vault } = await scene();
      await expect(release(charter, vault, { to: ZeroAddress })).to.be.revertedWithCustomError(
        vault,
        "NoReceiver",
      );
      await expect(release(charter, vault, { amount: FUNDS + 1n })).to.be.revertedWithCustomError(
        vault,
        "InsufficientBalance",
      );
    });

    it("release_byAnInstanceOfAnotherApp_reverts", async () => {
      const { charter, at, vault } = await scene();
      const other = await (await createApp(charter, { settings: SETTINGS, salt: id("other") })).getAddress();
      const foreign = walletOf("foreign agent");
      await enter(charter, other, foreign);
      const signed = order({ key: foreign.address });
      await expect(vault.release(signed, await sign(charter, vault, signed, foreign)))
        .to.be.revertedWithCustomError(charter.attestationLedger, "NotLive")
        .withArgs(at, foreign.address);
    });
  });

  describe("draw", () => {
    it("draw_byALiveInstance_paysItselfAndUsesANonce", async () => {
      const { charter, at, vault } = await scene();
      const { ethers } = charter.connection;
      const agent = key.connect(ethers.provider);
      await charter.owner.sendTransaction({ to: agent, value: parseEther("1") });
      const signature = await sign(charter, vault, order());
      await expect(vault.connect(agent).draw(ZeroAddress, 7n))
        .to.emit(vault, "Released")
        .withArgs(key.address, ZeroAddress, key.address, 7, 0, key.address);
      await expect(vault.release(order(), signature)).to.be.revertedWithCustomError(
        vault,
        "InvalidAccountNonce",
      );
      await expect(vault.connect(charter.stranger).draw(ZeroAddress, 7n))
        .to.be.revertedWithCustomError(charter.attestationLedger, "NotLive")
        .withArgs(at, charter.stranger.address);
    });
  });

  // The order stays the same and was signed before: only what the contracts say of the instance changes. Each change and
  // the order that it stops stand in one block, in this order.
  describe("what turns the instance off turns the vault off in the same block", () => {
    const cases: Record<string, (here: Awaited<ReturnType<typeof scene>>) => Promise<unknown>> = {
      "its release is revoked": async ({ app }) => app.revoke(1, { gasLimit: 1_000_000 }),
      "its platform is no longer allowed": async ({ app }) =>
        app.tighten([{ kind: SettingKind.Node, key: PLATFORM, value: 0n }], { gasLimit: 1_000_000 }),
      "its TCB status is no longer allowed": async ({ app }) =>
        app.tighten([{ kind: SettingKind.TcbStatus, key: word(TcbStatus.UpToDate), value: 0n }], {
          gasLimit: 1_000_000,
        }),
      "its GPU is required now": async ({ app }) =>
        app.tighten([{ kind: SettingKind.GpuRequired, key: ZeroHash, value: 1n }], { gasLimit: 1_000_000 }),
      "its node is retired": async ({ charter }) =>
        charter.nodeRegistry.connect(charter.operator).retire(1, { gasLimit: 1_000_000 }),
      "its certificate is revoked": async ({ direct }) =>
        direct.tell(RECORD, { ...WELL, revoked: true }, { gasLimit: 1_000_000 }),
      "its TCB status has fallen": async ({ direct }) =>
        direct.tell(RECORD, { ...WELL, status: TcbStatus.OutOfDate }, { gasLimit: 1_000_000 }),
      "its collateral ends": async ({ direct }) =>
        direct.tell(RECORD, { ...WELL, validUntil: 1n }, { gasLimit: 1_000_000 }),
      "its epoch rose before the review": async ({ direct, time }) => {
        const staleSince = BigInt(await time.latest()) - REVIEW_SECONDS;
        return direct.tell(RECORD, { ...WELL, staleSince }, { gasLimit: 1_000_000 });
      },
      "its verifier is replaced": async ({ charter }) =>
        charter.attestationLedger.setVerifier(DIRECT, ZeroAddress, { gasLimit: 1_000_000 }),
    };
    for (const [name, change] of Object.entries(cases)) {
      it(`release_${name.replaceAll(" ", "_")}_reverts`, async () => {
        const here = await scene();
        const { charter, vault } = here;
        const { provider, ethers } = charter.connection;
        const signature = await sign(charter, vault, order());
        await vault.release.staticCall(order(), signature);
        await provider.request({ method: "evm_setAutomine", params: [false] });
        try {
          await change(here);
          // The changer comes first by its fee; both wait for one block.
          const sent = await vault
            .connect(charter.stranger)
            .release(order(), signature, { gasLimit: 1_000_000, maxPriorityFeePerGas: 1n });
          await charter.connection.networkHelpers.mine();
          const receipt = await ethers.provider.getTransactionReceipt(sent.hash);
          const block = await ethers.provider.getBlock("latest");
          expect(block?.transactions.length).to.equal(2);
          expect(block?.transactions[1]).to.equal(sent.hash);
          expect(receipt?.status).to.equal(0);
        } finally {
          await provider.request({ method: "evm_setAutomine", params: [true] });
        }
        await expect(vault.release(order(), signature)).to.be.revertedWithCustomError(
          charter.attestationLedger,
          "NotLive",
        );
        expect(await ethers.provider.getBalance(vault)).to.equal(FUNDS);
      });
    }

    it("release_itsEpochRose_paysUntilTheReviewEnds", async () => {
      const { charter, direct, vault, time } = await scene();
      const staleSince = BigInt(await time.latest()) + 10n;
      await time.setNextBlockTimestamp(staleSince);
      await direct.tell(RECORD, { ...WELL, staleSince });
      await time.setNextBlockTimestamp(staleSince + REVIEW_SECONDS - 1n);
      await release(charter, vault);
      await time.setNextBlockTimestamp(staleSince + REVIEW_SECONDS);
      await expect(release(charter, vault, { nonce: 1n })).to.be.revertedWithCustomError(
        charter.attestationLedger,
        "NotLive",
      );
      // Judged anew, and still well: the same order counts again.
      await direct.tell(RECORD, WELL);
      await release(charter, vault, { nonce: 1n });
    });

    it("release_itsCollateralCame_paysAgain", async () => {
      const { charter, direct, vault } = await scene();
      await direct.tell(RECORD, { ...WELL, validUntil: 1n });
      await expect(release(charter, vault)).to.be.revertedWithCustomError(
        charter.attestationLedger,
        "NotLive",
      );
      await direct.tell(RECORD, WELL);
      await release(charter, vault);
    });

    it("release_itsProofExpired_reverts", async () => {
      const { charter, at, vault, time } = await scene();
      const { expiresAt } = await charter.attestationLedger.instance(at, key.address);
      await time.setNextBlockTimestamp(expiresAt - 1n);
      await release(charter, vault);
      await time.setNextBlockTimestamp(expiresAt);
      await expect(release(charter, vault, { nonce: 1n })).to.be.revertedWithCustomError(
        charter.attestationLedger,
        "NotLive",
      );
      await time.increaseTo(expiresAt + 1n);
      expect(await charter.attestationLedger.liveReason(at, key.address)).to.equal(Reason.EvidenceTooOld);
    });
  });

  it("constructor_ledgerWithoutCode_reverts", async () => {
    const connection = await openChain();
    try {
      const account = walletOf("no contract").address;
      const factory = await connection.ethers.getContractFactory("LiveSigner");
      await expect(factory.deploy(account, ZeroAddress))
        .to.be.revertedWithCustomError(factory, "NoLedger")
        .withArgs(account);
    } finally {
      await connection.close();
    }
  });
});
