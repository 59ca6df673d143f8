/** Asks graph-node for the state after one block. */
export class GraphReader {
  readonly #url: string;
  constructor(url: string) {
    this.#url = url;
  }

  /** Waits until `block` is indexed. `query` says `block: AT` wherever it names what it wants. */
  async at<T>(block: number, query: string): Promise<T> {
    for (;;) {
      const { data } = await this.#ask<{ _meta: { block: { number: number } } }>(
        "{ _meta { block { number } } }",
      );
      if (data && data._meta.block.number >= block) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const { data, errors } = await this.#ask<T>(query.replaceAll("AT", `{ number: ${block} }`));
    if (errors || !data) throw new Error(`graph-node answered ${JSON.stringify(errors)}`);
    return data;
  }

  async #ask<T>(query: string): Promise<{ data?: T; errors?: unknown }> {
    const response = await fetch(this.#url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as { data?: T; errors?: unknown };
  }
}
