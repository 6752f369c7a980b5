// Rows of gradient descent on the minimal model with all columns, in the digits of descend.ts and
// of the operators.
export { classify, solve, split } from './columns';
export { descend } from './descend';
export { column } from './rows';
export { numbers } from './state';
