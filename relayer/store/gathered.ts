interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (cause: unknown) => void;
}

/** What a gathered write says of one item: its result, or why it alone is refused. */
export type Outcome<Result> = { readonly result: Result } | { readonly error: unknown };

/**
 * Lets callers that come while a write is under way share the next one: one commit costs about as much as a hundred rows.
 * Nobody waits for company: the first is written at once. A write that fails fails for all of it.
 */
export function gathered<Item, Result>(
  write: (items: readonly Item[]) => Promise<readonly Outcome<Result>[]>,
  maxItems: number,
): (item: Item) => Promise<Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let isWriting = false;

  const writeAll = async (): Promise<void> => {
    isWriting = true;
    while (waiting.length > 0) {
      const taken = waiting.slice(0, maxItems);
      waiting = waiting.slice(maxItems);
      try {
        const outcomes = await write(taken.map(({ item }) => item));
        taken.forEach(({ resolve, reject }, index) => {
          const outcome = outcomes[index];
          if (outcome !== undefined && "result" in outcome) resolve(outcome.result);
          else reject(outcome?.error ?? new Error("a write answered for fewer items than it was given"));
        });
      } catch (cause) {
        for (const { reject } of taken) reject(cause);
      }
    }
    isWriting = false;
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!isWriting) void writeAll();
    });
}
