/** Tells of bytes that a job reads: the more, the longer it may take. */
export type OnRead = (bytes: number) => void;

/** Work with files of anybody beyond tables and logs, done as a whole where files are read. */
export interface Job<Call extends readonly unknown[], Made> {
  readonly name: JobName;
  /**
   * What is given to it, and what it makes, must be such that processes can send it to each other.
   */
  readonly work: (read: OnRead, ...call: Call) => Promise<Made>;
}

export type JobName =
  | 'recover'
  | 'resume'
  | 'settings'
  | 'manifest'
  | 'part'
  | 'whole'
  | 'inspect'
  | 'data';
