import type { TsmFiles } from "../../../worker/tee/tsm/tsmReport.ts";

const error = (code: string): Error => Object.assign(new Error(code), { code });

/**
 * configfs-tsm as the kernel has it: mkdir makes an instance with its attributes, each write of an option or `inblob`
 * raises `generation`, `outblob` is made from the last `inblob`, and an instance goes by rmdir.
 */
export class TsmTree implements TsmFiles {
  readonly instances = new Map<
    string,
    { generation: number; inblob: Uint8Array | null; privlevel: number }
  >();
  provider = "tdx_guest";
  privlevelFloor = 0;
  make: (inblob: Uint8Array) => Uint8Array = (inblob) => inblob;
  auxblob: Uint8Array | null = null;
  /** Called before `outblob` is answered: somebody else at work. */
  meanwhile: (path: string) => void = () => undefined;
  made = 0;

  mkdir = async (path: string): Promise<void> => {
    if (this.instances.has(path)) throw error("EEXIST");
    this.instances.set(path, { generation: 0, inblob: null, privlevel: 0 });
    this.made++;
  };

  rmdir = async (path: string): Promise<void> => {
    if (!this.instances.delete(path)) throw error("ENOENT");
  };

  write = async (path: string, bytes: Uint8Array | string): Promise<void> => {
    const [one, attribute] = this.#at(path);
    if (attribute === "privlevel") {
      if (Number(bytes) < this.privlevelFloor) throw error("EINVAL");
      one.privlevel = Number(bytes);
    } else if (attribute === "inblob" && typeof bytes !== "string" && bytes.length <= 64) {
      one.inblob = Uint8Array.from(bytes);
    } else throw error("EINVAL");
    one.generation++;
  };

  read = async (path: string): Promise<Uint8Array> => {
    const [one, attribute, dir] = this.#at(path);
    const text = (value: string | number): Uint8Array => Buffer.from(`${value}\n`);
    if (attribute === "generation") return text(one.generation);
    if (attribute === "provider") return text(this.provider);
    if (attribute === "auxblob") {
      if (this.auxblob === null) throw error("ENOENT");
      return this.auxblob;
    }
    if (attribute !== "outblob") throw error("ENOENT");
    this.meanwhile(dir);
    if (one.inblob === null) throw error("EINVAL");
    return this.make(one.inblob);
  };

  #at(path: string) {
    const cut = path.lastIndexOf("/");
    const dir = path.slice(0, cut);
    const one = this.instances.get(dir);
    if (one === undefined) throw error("ENOENT");
    return [one, path.slice(cut + 1), dir] as const;
  }

  /** A failure of the kernel by its code. */
  static error = error;
}
