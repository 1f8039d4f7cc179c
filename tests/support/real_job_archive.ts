/** The real job of testdata/emmy as an archive of upstream holds it. */
const DIRECTORY = new URL("../testdata/emmy/", import.meta.url);

export const REAL_JOB_PLACE = {
  cluster: "emmy",
  jobId: 1403244,
  startTime: 1608923076,
} as const;

/** Puts the job into the archive in `root`, making one if there is none. */
export function placeRealJob(root: string): void {
  const directory = `${root}/emmy/1403/244/1608923076`;
  Deno.mkdirSync(directory, { recursive: true });
  Deno.writeTextFileSync(`${root}/version.txt`, "3\n");
  for (const name of ["meta.json", "data.json.gz"]) {
    // Copied by content: the originals may be read-only.
    const bytes = Deno.readFileSync(new URL(`1403244-${name}`, DIRECTORY));
    Deno.writeFileSync(`${directory}/${name}`, bytes);
  }
}
