// Schedules that Go's parser takes and those that it refuses, with its words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cronText, scheduleComplaint, zoneComplaint } from "./cron.ts";

test("schedules", () => {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["* * * * *", undefined],
    ["*/10 * * * * *", undefined],
    ["0 0 1 JAN mon-fri", undefined],
    ["5/15 0,12 ? * sun", undefined],
    ["@hourly", undefined],
    ["", "empty spec string"],
    ["hourly", "expected 5 to 6 fields, found 1: [hourly]"],
    ["* * * * * * *", "expected 5 to 6 fields, found 7: [* * * * * * *]"],
    ["@often", "unrecognized descriptor: @often"],
    ["60 * * * *", "end of range (60) above maximum (59): 60"],
    ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
    ["* * * * 7", "end of range (7) above maximum (6): 7"],
    ["5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"],
    ["*/0 * * * *", "step of range should be a positive number: */0"],
    ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
    ["1/2/3 * * * *", "too many slashes: 1/2/3"],
    ["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ["-5 * * * *", 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'],
    ["99999999999999999999 * * * *", 'failed to parse int from 99999999999999999999: strconv.Atoi: parsing "99999999999999999999": value out of range'],
  ];
  assert.deepEqual(
    rows.map(([text]) => [text, scheduleComplaint(text)]),
    rows,
  );
});

test("time zones, beside the schedule or before it", () => {
  assert.equal(zoneComplaint("Europe/Berlin"), undefined);
  assert.equal(zoneComplaint("UTC"), undefined);
  assert.equal(zoneComplaint("Moon/Base"), "provided bad location Moon/Base: unknown time zone Moon/Base");
  assert.equal(zoneComplaint("+01:00"), "provided bad location +01:00: unknown time zone +01:00");
  assert.deepEqual(cronText("CRON_TZ=Asia/Tokyo 0 9 * * *", "UTC"), { timezone: "Asia/Tokyo", schedule: "0 9 * * *" });
  assert.deepEqual(cronText("0 9 * * *", "UTC"), { timezone: "UTC", schedule: "0 9 * * *" });
});
