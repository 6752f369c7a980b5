import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { count, duration, plural } from '../../pipeline/format.ts';
import { type AnySpec, anySweepSpec, isOfNetworks } from '../../pipeline/sweep/any-sweep.ts';
import type { SweepSpec } from '../../pipeline/sweep/sweep.ts';
import { UsageError } from '../errors.ts';
import { packageRoot } from '../package-root.ts';
import { type Estimate, estimate } from './estimate.ts';
import { findSweep, sweepFolder } from './folder.ts';
import type { SaidSweep } from './grid.ts';
import type { Scheduler } from './schedulers.ts';

/** What the job files of a sweep say. */
export interface EmitRequest {
  readonly scheduler: Scheduler;
  readonly options: SaidSweep;
  readonly out: string;
  readonly extend: boolean;
  /** Threads of a task. */
  readonly threads: number;
  /** Tasks of the array; undefined lets the estimate choose. */
  readonly tasks: number | undefined;
}

/** One array job: its tasks share the parts of the sweep, each n-th from its own number on. */
interface Job {
  readonly name: string;
  readonly out: string;
  readonly tasks: number;
  readonly threads: number;
  readonly megabytes: number;
  /** Time limit of a task. */
  readonly minutes: number;
  /** Words of the command line behind `eos`, but for the shard. */
  readonly words: readonly string[];
  /** What the estimate says, in lines. */
  readonly about: readonly string[];
}

/** Seconds of a task: short enough to be started again, long enough to be worth a start. */
const TASK_SECONDS = 900;
/** Tasks of an array that every Slurm takes (MaxArraySize is 1001 unless set). */
const MOST_TASKS = 1000;
/** A machine of the cluster may be slower than this one, and shared. */
const SLOWER = 4;
const STARTING_MINUTES = 5;
/** Of a task: what Node and the code take, and what each thread adds. */
const BASE_MEGABYTES = 256;
const THREAD_MEGABYTES = 64;

/**
 * Carries out `eos sweep --emit`: the job file on stdout. Array size, memory and time limit come
 * from the estimate, which tries some of the runs on this machine.
 */
export async function emitJob(request: EmitRequest): Promise<number> {
  const spec = anySweepSpec(request.options.said, request.options.trajectories);
  if (request.scheduler === 'kubernetes' && !isAbsolute(request.out))
    throw new UsageError(
      `--out: ${request.out} must begin where the pods have the shared volume, such as ` +
        `/data/${request.out}`,
    );
  const { place } = await findSweep(sweepFolder(request.out), spec, request.extend);
  const job = jobOf(request, spec, await estimate(place, 1), place.plan.count);
  process.stdout.write(WRITERS[request.scheduler](job));
  return 0;
}

/** The job that carries out a sweep. @throws UsageError where it would have idle tasks */
export function jobOf(
  { out, extend, threads, tasks }: Omit<EmitRequest, 'scheduler' | 'options'>,
  spec: AnySpec,
  { runs, steps, seconds }: Pick<Estimate, 'runs' | 'steps' | 'seconds'>,
  parts: number,
): Job {
  if (tasks !== undefined && tasks > parts)
    throw new UsageError(
      `--tasks: ${count(tasks)} tasks for ${plural(parts, 'part')}; give at most ${parts}`,
    );
  const wanted = Math.ceil(seconds / threads / TASK_SECONDS);
  const size = tasks ?? Math.max(1, Math.min(wanted, parts, MOST_TASKS));
  // The first tasks have one part more than the last ones; threads end one after the other.
  const own = (Math.ceil(parts / size) * seconds) / parts;
  const longest = Math.max(own / threads, seconds / parts);
  // Without samples a seed means nothing, and is refused.
  const axes = Object.entries(spec.axes)
    .filter(([name]) => isOfNetworks(spec) || name !== 'seed' || spec.axes.samples !== undefined)
    .flatMap(([name, text]) => [`--${name}`, text]);
  const name = basename(resolve(out)).replace(/[^A-Za-z0-9]+/g, '-');
  return {
    name: `eos-${name.replace(/^-|-$/g, '').toLowerCase() || 'sweep'}`.slice(0, 52),
    out: resolve(out),
    tasks: size,
    threads,
    megabytes: BASE_MEGABYTES + THREAD_MEGABYTES * threads,
    minutes: STARTING_MINUTES + Math.ceil((SLOWER * longest) / 60),
    words: [
      'sweep',
      ...(isOfNetworks(spec) ? ['--model', 'mlp'] : ofMinimal(spec)),
      ...axes,
      ...(spec.trajectories === null ? [] : ['--trajectories', `every:${spec.trajectories}`]),
      ...(extend ? ['--extend'] : []),
      ...['--out', resolve(out), '--threads', String(threads)],
    ],
    about: [
      `${plural(runs, 'run')}, ${plural(steps, 'step')}, in ${plural(parts, 'part')}: about ` +
        `${duration(seconds)} on one core of the machine`,
      `that wrote this; ${plural(size, 'task')} of about ${duration(longest)} each. The limit ` +
        `allows for ${SLOWER} times that.`,
      'A task that is started again does what is left; to check the whole afterwards:',
      `eos sweep status --out ${quoted(resolve(out))}`,
    ],
  };
}

/** What is said of all runs of a sweep of the minimal model. */
const ofMinimal = ({ optimizer, precision }: SweepSpec): string[] => [
  ...(optimizer === undefined ? [] : ['--optimizer', optimizer]),
  ...(precision === undefined ? [] : ['--precision', String(precision)]),
];

const WRITERS: Readonly<Record<Scheduler, (job: Job) => string>> = {
  slurm: (job) =>
    script(
      job,
      [
        `#SBATCH --job-name=${job.name}`,
        `#SBATCH --array=0-${job.tasks - 1}`,
        '#SBATCH --ntasks=1',
        `#SBATCH --cpus-per-task=${job.threads}`,
        `#SBATCH --mem=${job.megabytes}M`,
        `#SBATCH --time=${hours(job.minutes)}`,
        '#SBATCH --requeue',
        '#SBATCH --open-mode=append',
        '#SBATCH --output=%x-%a.log',
      ],
      'srun ',
      'SLURM_ARRAY_TASK_ID',
    ),
  hyperqueue: (job) =>
    script(
      job,
      [
        `#HQ --name=${job.name}`,
        `#HQ --array=0-${job.tasks - 1}`,
        `#HQ --cpus=${job.threads}`,
        `#HQ --resource=mem=${job.megabytes}`,
        `#HQ --time-request=${job.minutes}m`,
        `#HQ --time-limit=${job.minutes}m`,
      ],
      'exec ',
      'HQ_TASK_ID',
    ),
  kubernetes,
};

/** A script whose comments in front say to the scheduler what it needs. */
function script(job: Job, directives: readonly string[], run: string, variable: string): string {
  const program = [process.execPath, join(packageRoot, 'bin', 'run.js')];
  const command = [...program, ...job.words].map(quoted).join(' ');
  return [
    '#!/bin/bash',
    ...directives,
    '#',
    ...job.about.map((line) => `# ${line}`),
    '',
    `${run}${command} \\`,
    `  --shard "$${variable}/${job.tasks}"`,
    '',
  ].join('\n');
}

/** JSON is YAML, so quoting cannot go wrong. */
function kubernetes({ name, out, tasks, threads, megabytes, minutes, words, about }: Job): string {
  const command = ['eos', ...words].map(quoted).join(' ');
  const requests = { cpu: String(threads), memory: `${megabytes}Mi` };
  const container = {
    name: 'eos',
    // There is no published image.
    image: 'eos-stream:0.1.0',
    command: ['sh', '-c', `exec ${command} --shard "$JOB_COMPLETION_INDEX/${tasks}"`],
    resources: { requests, limits: { memory: requests.memory } },
    volumeMounts: [{ name: 'sweep', mountPath: dirname(out) }],
  };
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      completionMode: 'Indexed',
      completions: tasks,
      parallelism: tasks,
      backoffLimitPerIndex: 3,
      template: {
        spec: {
          activeDeadlineSeconds: 60 * minutes,
          restartPolicy: 'Never',
          containers: [container],
          volumes: [{ name: 'sweep', persistentVolumeClaim: { claimName: 'eos-sweep' } }],
        },
      },
    },
  };
  return `${about.map((line) => `# ${line}`).join('\n')}\n${yaml(job, '')}\n`;
}

function yaml(value: object, indent: string): string {
  return Object.entries(value)
    .map(([key, one]: [string, unknown]) => {
      const plain = typeof one !== 'object' || one === null || Array.isArray(one);
      if (plain || Object.keys(one).length === 0) return `${indent}${key}: ${JSON.stringify(one)}`;
      return `${indent}${key}:\n${yaml(one, `${indent}  `)}`;
    })
    .join('\n');
}

/** A word of a shell's command line, whatever stands in it. */
function quoted(word: string): string {
  return /^[\w./:=,+@%-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function hours(minutes: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:00`;
}
