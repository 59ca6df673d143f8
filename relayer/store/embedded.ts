export interface EmbeddedPostgres {
  /** Maintenance database's URL, user and password included. */
  readonly url: string;
  readonly port: number;
  /** Creates a database (UTF8, locale C) unless it exists; its URL. */
  createDatabase(name: string): Promise<string>;
  /** End every pool before. Resolves when the process has exited. */
  stop(): Promise<void>;
}

export declare function startEmbeddedPostgres(options: { dir: string; port?: number }): Promise<EmbeddedPostgres>;
