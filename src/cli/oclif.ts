/**
 * All that the commands use of oclif. The build makes one file of it with what it needs: as some
 * two hundred modules it takes longer to load than most commands take.
 */
export type { Hook, Interfaces } from '@oclif/core';
export { Args, Command, Errors, Flags, flush, loadHelpClass, run } from '@oclif/core';
