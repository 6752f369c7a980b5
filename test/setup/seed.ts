import fc from 'fast-check';

// What CI says of one tree is the same every time; everywhere else, each run draws new cases.
if (process.env.CI) fc.configureGlobal({ seed: 2025 });
