import { Option, type Command } from "commander";
import { type Hex } from "viem";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import { ProofSystem } from "../../protocol/words/enums.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, type Context } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { timeText } from "../support/output.ts";
import { send } from "../support/send.ts";
import { hexOption, wholeNumber } from "../support/values.ts";
import { readZkProof, type ZkProof } from "../support/zkProof.ts";

interface PostOptions {
  readonly proof: string;
  readonly keySignature: Hex;
  readonly operatorSignature?: Hex;
  readonly node?: number;
  readonly combines?: boolean;
}

/** `charter proof post`: a proof made elsewhere, brought by anyone. */
export function addProofCommands(program: Command): void {
  program
    .command("proof")
    .description("verdicts that the chain accepts")
    .command("post")
    .description("bring a zero-knowledge proof of an instance or a node onto the chain (anyone)")
    .addOption(new Option("--system <system>", "proof system").choices(["zk"]).default("zk"))
    .requiredOption("--proof <file>", "JSON of the prover: {adapter, program, journal, seal}")
    .requiredOption(
      "--key-signature <hex>",
      "the bound key's consent (EIP-712 InstanceEntry or NodeEntry)",
      hexOption,
    )
    .option(
      "--operator-signature <hex>",
      "of a new node: its operator's consent, unless it sends this itself",
      hexOption,
    )
    .option(
      "--node <n>",
      "number of the node that it runs on or that is renewed (default: the platform's one)",
      wholeNumber,
    )
    .option(
      "--combines",
      "of an instance: keep the evidence digest, so that other systems' proofs can be added",
    )
    .action(async (options: PostOptions, command: Command) => {
      const context = contextOf(command);
      const found = readZkProof(context, options.proof);
      const [consumer, subject, key] = [found.verdict.consumer, found.verdict.subject, found.verdict.key].map(
        (address) => address.toLowerCase() as Address,
      ) as [Address, Address, Address];
      context.out.note(`judged ${timeText(found.provenAt)} by program ${found.program}`);
      const { attestationLedger, nodeRegistry } = context.deployment();
      if (consumer !== attestationLedger && consumer !== nodeRegistry) {
        throw new CliError(
          ExitCode.Refused,
          "proof/other-consumer",
          "expected a verdict for this deployment",
          {
            expected: [attestationLedger, nodeRegistry],
            actual: consumer,
          },
        );
      }
      const call =
        consumer === attestationLedger
          ? await attestCall(context, found, options)
          : await nodeCall(context, found, options);
      const { hash } = await send(context, call);
      context.out.result(
        { action: call.functionName, subject, key, system: "zk", transaction: hash },
        `${call.functionName} ${key} of ${subject}\ntransaction ${hash}`,
      );
    });
}

async function attestCall(context: Context, { verdict, proof }: ZkProof, options: PostOptions) {
  const [node, ...others] =
    options.node === undefined ? await nodesOn(context, verdict.platformId) : [options.node];
  if (node === undefined || others.length > 0) {
    throw new CliError(
      ExitCode.Refused,
      "proof/node-unknown",
      "expected one node on this platform, or --node",
      {
        platformId: verdict.platformId,
        nodes: node === undefined ? [] : [node, ...others],
      },
    );
  }
  return {
    address: context.deployment().attestationLedger,
    abi: attestationLedgerAbi,
    functionName: "attest",
    args: [node, ProofSystem.Zk, options.combines ?? false, proof, options.keySignature],
  };
}

/** A node whose key the registry knows on this platform is renewed; another is registered. */
async function nodeCall(context: Context, { verdict, proof }: ZkProof, options: PostOptions) {
  const { nodeRegistry: address } = context.deployment();
  const number = options.node ?? (await nodeOf(context, verdict.platformId, verdict.key));
  const args =
    number === undefined
      ? [ProofSystem.Zk, proof, options.operatorSignature ?? "0x", options.keySignature]
      : [number, ProofSystem.Zk, proof, options.keySignature];
  return { address, abi: nodeRegistryAbi, functionName: number === undefined ? "register" : "renew", args };
}

async function nodesOn(context: Context, platformId: Hex): Promise<readonly number[]> {
  const { nodeRegistry: address } = context.deployment();
  const client = await context.client();
  return client.readContract({ address, abi: nodeRegistryAbi, functionName: "nodesOn", args: [platformId] });
}

async function nodeOf(context: Context, platformId: Hex, key: Address): Promise<number | undefined> {
  const client = await context.client();
  const { nodeRegistry: address } = context.deployment();
  for (const number of await nodesOn(context, platformId)) {
    const node = await client.readContract({
      address,
      abi: nodeRegistryAbi,
      functionName: "node",
      args: [number],
    });
    if (node.key.toLowerCase() === key.toLowerCase()) return number;
  }
  return undefined;
}
