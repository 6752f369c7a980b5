import type { Hook } from '../oclif.ts';
import { unknownCommand } from '../unknown-command.ts';

const hook: Hook.CommandNotFound = async ({ id, config }) => {
  throw unknownCommand(id.split(':'), config);
};

export default hook;
