/** Asks until the answer is the wanted one; the chain makes a block each second, so this is how one waits for it. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  attempts = 600,
): Promise<T> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never happened: ${what}`);
}
