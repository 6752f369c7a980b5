/** Programs that run the tasks of an array job on the machines of a cluster. */
export const SCHEDULERS = ['slurm', 'kubernetes', 'hyperqueue'] as const;
export type Scheduler = (typeof SCHEDULERS)[number];
