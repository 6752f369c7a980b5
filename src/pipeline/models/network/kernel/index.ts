export { buildEdge, edgeEnergy, edgeWork, swings } from './edge';
export { exp, log } from './functions';
export { correct } from './losses/cross-entropy';
export { addScaled, dot } from './matrix';
export {
  allocate,
  build,
  gradientAt,
  hessianTimes,
  lossAt,
  parameters,
  roughTimes,
  setWidth,
  useSamples,
} from './network';
export {
  buildTracker,
  draws,
  guess,
  known,
  operatorTimes,
  products,
  results,
  resumeTracker,
  ritzStride,
  ritzVectors,
  SEARCH,
  scout,
  track,
  unrest,
  useOperator,
} from './tracker';
