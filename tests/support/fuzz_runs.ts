/** How often a property test runs: `deno task fuzz` multiplies it. */
export function fuzzRuns(normal: number): number {
  return normal * Number(Deno.env.get("FUZZ_FACTOR") ?? 1);
}
