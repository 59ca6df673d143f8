import { CharterError } from "../../protocol/errors/CharterError.ts";

/** @throws CharterError `tee/report-data-length` unless there are exactly 64 bytes: no source may pad or cut them. */
export function requireReportData(reportData: Uint8Array): void {
  if (reportData.length === 64) return;
  throw new CharterError("tee/report-data-length", "report data has 64 bytes", {
    expected: 64,
    actual: reportData.length,
  });
}
