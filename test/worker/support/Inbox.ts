/** Things that are told one after another, and waited for without looking at a clock. */
export class Inbox<T> {
  readonly all: T[] = [];
  #read = 0;
  #waiting: (() => void)[] = [];

  readonly put = (item: T): void => {
    this.all.push(item);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  /** The next item, from the last one found on, that fits. */
  async until(fits: (item: T) => boolean): Promise<T> {
    for (;;) {
      while (this.#read < this.all.length) {
        const item = this.all[this.#read++] as T;
        if (fits(item)) return item;
      }
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }
}
