/** Whether this is an object whose own keys say all: no list, no Map, no Date. */
export const isPlain = (value: unknown): value is object =>
  Object.prototype.toString.call(value) === '[object Object]';
