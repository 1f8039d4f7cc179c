/** The section `web`: the pages that people look at (web 11). */
import { z } from "zod";
import {
  amount,
  flag,
  integer,
  list,
  name,
  named,
  section,
  text,
  webUrl,
} from "./values.ts";

const ZONE = 'a time zone such as "Europe/Berlin", or ""';

/** `""`, or a zone that the runtime knows. */
function timeZone() {
  return z.string({ error: ZONE }).refine(
    (zone) => zone === "" || isTimeZone(zone),
    { error: ZONE },
  ).meta({ expected: ZONE });
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** By cluster, then by sub-cluster, `*`: all that are not named. */
function metricChoice() {
  return named(named(list(name(), "metrics"), "sub-cluster"), "cluster");
}

const link = section({
  title: name().describe("What is read."),
  url: webUrl().describe("Where it leads."),
});

export const webSection = section({
  enabled: flag().default(true).describe(
    "Whether there are pages at all; without, `/` is a list of links.",
  ),
  "time-zone": timeZone().default("").describe(
    "Zone of all times on the pages; empty: that of the browser.",
  ),
  "default-cluster": text().default("").describe(
    "The cluster that pages begin with; empty: the first one.",
  ),
  "short-job": integer(0).optional().describe(
    "Seconds below which a job is marked as short; absent: " +
      "`main.short-running-jobs-duration`.",
  ),
  "emission-constant": amount().optional().describe(
    "Grams of CO2 a kWh, 0: not told; absent: `main.emission-constant`.",
  ),
  racks: named(text(), "rack").default({}).describe(
    "Nodes of each rack, as an expression of `cluster.json`; accepted, has no effect yet.",
  ),
  "job-list-metrics": metricChoice().default({}).describe(
    "Metrics that lists of jobs plot, by sub-cluster (`*`: all others); accepted, has no effect yet.",
  ),
  "job-view-metrics": metricChoice().default({}).describe(
    "Metrics that the page of a job begins with, in their order, by sub-cluster (`*`: all others).",
  ),
  "plots-per-row": integer(1, 12).default(3).describe(
    "Plots beside one another, until people choose.",
  ),
  "public-dashboard": flag().default(false).describe(
    "A page for a wall, without login and names; accepted, has no effect yet.",
  ),
  links: list(link, "links").default([]).describe(
    "Links on every page.",
  ),
  imprint: webUrl().default("").describe("Page with the imprint."),
  privacy: webUrl().default("").describe("Page on privacy."),
});
