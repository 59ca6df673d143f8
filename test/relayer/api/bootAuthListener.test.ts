import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { webcrypto } from "node:crypto";

import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { expect } from "chai";
import pino from "pino";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { readDirectConfig } from "../../../relayer/api/bootAuth/direct/config.ts";
import { readListener } from "../../../relayer/api/bootAuth/listener.ts";
import { bootAuthServer } from "../../../relayer/api/bootAuth/server.ts";
import { listen } from "../../../relayer/program.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** A CA, a server's certificate of it for 127.0.0.1, a client's of it, and a client's of another CA. */
async function identities(): Promise<Record<"ca" | "server" | "client" | "stranger", Identity>> {
  x509.cryptoProvider.set(webcrypto as unknown as Crypto);
  const validity = {
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_600_000),
  };
  const keys = async () =>
    (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as unknown as CryptoKeyPair;
  const pem = async (certificate: x509.X509Certificate, pair: CryptoKeyPair): Promise<Identity> => ({
    cert: certificate.toString("pem"),
    key: x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", pair.privateKey), "PRIVATE KEY"),
  });
  const authority = async (name: string) => {
    const pair = await keys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys: pair,
      signingAlgorithm: algorithm,
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
      ...validity,
    });
    return { pair, certificate };
  };
  const issue = async (issuer: Awaited<ReturnType<typeof authority>>, name: string) => {
    const pair = await keys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: issuer.certificate.subject,
      publicKey: pair.publicKey,
      signingKey: issuer.pair.privateKey,
      signingAlgorithm: algorithm,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }])],
      ...validity,
    });
    return pem(certificate, pair);
  };
  const ca = await authority("operator");
  return {
    ca: await pem(ca.certificate, ca.pair),
    server: await issue(ca, "webhook"),
    client: await issue(ca, "kms"),
    stranger: await issue(await authority("stranger"), "kms"),
  };
}

describe("bootAuth listener", () => {
  let dir: string;
  let known: Awaited<ReturnType<typeof identities>>;
  const path = (name: string): string => join(dir, name);
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-bootauth-"));
    known = await identities();
    writeFileSync(path("cert.pem"), known.server.cert);
    writeFileSync(path("key.pem"), known.server.key);
    writeFileSync(path("ca.pem"), known.ca.cert);
    writeFileSync(path("other-key.pem"), known.client.key);
    writeFileSync(path("empty.pem"), "\n");
  });
  after(() => rmSync(dir, { recursive: true }));

  const files = () => ({ certificate: path("cert.pem"), key: path("key.pem"), clientCa: path("ca.pem") });
  const code = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      return isCharterError(error) ? error.code : String(error);
    }
    return "accepted";
  };

  it("listens on loopback without certificates, and nowhere else", () => {
    const none = { certificate: undefined, key: undefined, clientCa: undefined };
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) {
      expect(readListener({ host, ...none })).to.deep.equal({ host, tls: undefined });
    }
    for (const host of ["0.0.0.0", "::", "192.168.0.1", "127.0.0.1.example.org"]) {
      expect(code(() => readListener({ host, ...none }))).to.equal("config/bootauth-not-loopback");
    }
  });

  it("listens anywhere with certificates of both sides, and refuses half of them", () => {
    expect(readListener({ host: "0.0.0.0", ...files() }).tls).not.to.equal(undefined);
    for (const left of ["certificate", "key", "clientCa"] as const) {
      const half = { host: "0.0.0.0", ...files(), [left]: undefined };
      expect(code(() => readListener(half))).to.equal("config/bootauth-tls");
      const absent = { host: "0.0.0.0", ...files(), [left]: path("absent.pem") };
      expect(code(() => readListener(absent))).to.equal("config/bootauth-tls");
    }
    const swapped = { host: "0.0.0.0", ...files(), key: path("other-key.pem") };
    expect(code(() => readListener(swapped))).to.equal("config/bootauth-tls");
    const nobody = { host: "0.0.0.0", ...files(), clientCa: path("empty.pem") };
    expect(code(() => readListener(nobody))).to.equal("config/bootauth-tls");
  });

  it("answers a client with a certificate of the operator's CA, and nobody else", async () => {
    const { tls } = readListener({ host: "0.0.0.0", ...files() });
    const logger = pino({ level: "silent" });
    const decide = () => ({ kind: "decided", isAllowed: true, reason: "", gatewayAppId: "" }) as const;
    const server = bootAuthServer({
      decideApp: decide,
      decideKms: decide,
      info: () => undefined,
      tls,
      logger,
    });
    try {
      const url = await listen(server, "127.0.0.1", 0);
      expect(url).to.match(/^https:/);
      const ask = (identity: Partial<Identity>) =>
        new Promise<number | string>((done) => {
          const asked = request(url, { ca: known.ca.cert, ...identity, agent: false }, (response) => {
            response.resume();
            done(response.statusCode ?? 0);
          });
          asked.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
          asked.end();
        });
      expect(await ask(known.client)).to.equal(500); // Reached: it has nothing to tell about itself.
      expect(await ask({})).to.be.a("string");
      expect(await ask(known.stranger)).to.be.a("string");
    } finally {
      await server.close();
    }
  });

  it("reads dstack's variables, and refuses what is wrong with them", () => {
    const environment = {
      ETH_RPC_URL: "http://127.0.0.1:8545/key",
      KMS_CONTRACT_ADDR: `0x${"a1".repeat(20)}`,
    };
    expect(readDirectConfig(environment)).to.deep.include({
      rpcUrl: "http://127.0.0.1:8545/key",
      chainId: undefined,
      confirmations: 0,
      maxHeadAgeSeconds: 300,
      port: 3_000,
      listener: { host: "127.0.0.1", tls: undefined },
    });
    expect(
      readDirectConfig({ ...environment, ETH_CHAIN_ID: "8453", ETH_FINALITY_CONFIRMATIONS: "12", PORT: "0" }),
    ).to.include({ chainId: 8_453, confirmations: 12, port: 0 });
    for (const [variable, value] of [
      ["ETH_RPC_URL", ""],
      ["ETH_RPC_URL", "ws://x"],
      ["KMS_CONTRACT_ADDR", ""],
      ["KMS_CONTRACT_ADDR", `0x${"00".repeat(20)}`],
      ["ETH_CHAIN_ID", "0"],
      ["ETH_CHAIN_ID", "0x1"],
      ["ETH_FINALITY_CONFIRMATIONS", "-1"],
      ["ETH_FINALITY_CONFIRMATIONS", "1.5"],
    ] as const) {
      expect(code(() => readDirectConfig({ ...environment, [variable]: value }))).to.equal("config/invalid");
    }
    expect(code(() => readDirectConfig({ ...environment, HOST: "0.0.0.0" }))).to.equal(
      "config/bootauth-not-loopback",
    );
  });
});
