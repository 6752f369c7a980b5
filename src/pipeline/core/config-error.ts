/**
 * A parameter that cannot be used: names the parameter, what is wrong with it, and what would do.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly parameter: string;
  readonly problem: string;

  constructor(parameter: string, problem: string) {
    super(`${parameter}: ${problem}`);
    this.parameter = parameter;
    this.problem = problem;
  }
}
