/** A state as data, so that two can be compared. */
export const plain = (state: unknown): unknown =>
  JSON.parse(
    JSON.stringify(state, (_key, value: unknown) => {
      if (typeof value === "bigint") return value.toString();
      return value instanceof Map ? [...(value as Map<unknown, unknown>)] : value;
    }),
  );
