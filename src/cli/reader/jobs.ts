import type { Job, JobName } from './job.ts';

/** The jobs, loaded where they are done. */
export const jobs: Readonly<Record<JobName, () => Promise<Job<never[], unknown>>>> = {
  recover: async () => (await import('../recover-file.ts')).recoverJob,
  resume: async () => (await import('../resume.ts')).findRunsJob,
  settings: async () => (await import('../config-file.ts')).settingsJob,
  manifest: async () => (await import('../sweep/folder.ts')).manifestJob,
  data: async () => (await import('../data-file.ts')).dataJob,
  inspect: async () => (await import('../inspect/report.ts')).inspectJob,
  part: async () => (await import('../sweep/read-part.ts')).partJob,
  whole: async () => (await import('../sweep/read-part.ts')).wholeJob,
};
