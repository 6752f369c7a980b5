/** Names the place where the user has set a value. */
export type Origin = (name: string) => string;

/**
 * Where the value of a flag comes from, as a message should name it: the flag itself, the environment variable, or the
 * config file that is given where it sets the value.
 */
export function originOf(name: string, configFile?: string): string {
  const flag = `--${name}`;
  if (process.argv.some((word) => word === flag || word.startsWith(`${flag}=`))) return flag;
  const variable = `EOS_${name.toUpperCase().replaceAll('-', '_')}`;
  if (process.env[variable]) return variable;
  return configFile === undefined ? flag : `--config: ${configFile}: ${name}`;
}
