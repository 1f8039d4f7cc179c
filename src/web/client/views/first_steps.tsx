/** web V1a: from an empty server to the first plot, each step with a command to copy. */
import type { ComponentChildren, JSX } from "preact";
import { Icon } from "../icons.tsx";
import { Command } from "../parts/copy_button.tsx";
import { useAnswer } from "../state/answer.ts";
import { loadClusters, loadSession, session } from "../state/session.ts";

const LOOK_SEC = 2;

interface Step {
  readonly title: string;
  readonly isDone: boolean;
  readonly body: ComponentChildren;
}

export function FirstSteps(): JSX.Element {
  // Its ticks set themselves, so it looks more often than other pages.
  useAnswer("first steps", async () => {
    await loadSession();
    await loadClusters();
    return true;
  }, LOOK_SEC);
  const done = session.value?.firstSteps;
  const { origin } = location;
  const steps: Step[] = [
    {
      title: "Make a token for programs",
      isDone: done?.token ?? false,
      body: (
        <Command
          text="TOKEN=$(npx -y deno@2.9.6 task -q token --user collectors --roles api)"
          label="the command that makes a token"
        />
      ),
    },
    {
      title: "Send one sample",
      isDone: done?.sample ?? false,
      body: (
        <Command
          text={`curl -sS "${origin}/api/write?cluster=demo" -H "Authorization: Bearer $TOKEN" \\
  --data-binary "cpu_load,hostname=n01,type=node value=1.5 $(date +%s)"`}
          label="the command that sends a sample"
        />
      ),
    },
    {
      title: "Say what the cluster is made of",
      isDone: done?.clusterFile ?? false,
      body: (
        <>
          <p>
            A cluster.json names the nodes, their cores and the metrics with
            units and thresholds.
          </p>
          <Command
            text={`mkdir -p var/job-archive/demo
cp docs/examples/cluster.json var/job-archive/demo/
echo 3 > var/job-archive/version.txt
curl -sS -X POST ${origin}/-/reload -H "Authorization: Bearer $(npx -y deno@2.9.6 task -q token --user me --roles admin)"`}
            label="the commands that add a cluster.json"
          />
        </>
      ),
    },
    {
      title: "Tell of a job",
      isDone: done?.job ?? false,
      body: (
        <>
          <p>
            The batch system does it from now on; docs/slurm.md says how it is
            connected. By hand:
          </p>
          <Command
            text={`curl -sS ${origin}/api/jobs/start_job/ -H "Authorization: Bearer $TOKEN" -d "{
  \\"jobId\\": 1, \\"cluster\\": \\"demo\\", \\"user\\": \\"eve\\", \\"project\\": \\"p1\\",
  \\"startTime\\": $(($(date +%s) - 60)), \\"numNodes\\": 1, \\"resources\\": [{\\"hostname\\": \\"n01\\"}]}"`}
            label="the command that starts a job"
          />
        </>
      ),
    },
  ];
  return (
    <>
      <h1>First steps</h1>
      <p>
        Run these in a second terminal, in the directory of the checkout. Each
        is ticked as soon as it was seen to work. To look around first, with a
        made-up cluster: <code>npx -y deno@2.9.6 task demo</code>.
      </p>
      <ol class="steps">
        {steps.map(({ title, isDone, body }, index) => (
          <li class={`card step ${isDone ? "done" : ""}`} key={title}>
            <span class="step-mark" aria-hidden="true">
              {isDone ? <Icon name="check" size={16} /> : index + 1}
            </span>
            <div>
              <h2>
                {title}
                <span class="visually-hidden" role="status">
                  {isDone ? ": done" : ": not yet"}
                </span>
              </h2>
              {!isDone && body}
            </div>
          </li>
        ))}
      </ol>
    </>
  );
}
