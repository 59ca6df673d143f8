/** Limits of every kind of event log. */
export const MAX_EVENTS = 10_000;
export const MAX_EVENT_LOG_BYTES = 1_048_576;

/**
 * Firmware events whose digest is, by specification, that of the event's data (TCG PC Client Platform Firmware Profile
 * §10.4.1): EV_SEPARATOR, EV_EFI_VARIABLE_DRIVER_CONFIG, EV_EFI_ACTION.
 */
const SELF_DESCRIBED = new Set([0x0000_0004, 0x8000_0001, 0x8000_0007]);

/** Whether a firmware event of this type measures the very data that the log carries. */
export const isSelfDescribed = (type: number): boolean => SELF_DESCRIBED.has(type);
