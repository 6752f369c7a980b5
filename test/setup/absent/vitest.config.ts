import { defineConfig } from 'vitest/config';

// A suite of its own for parts.test.ts, which runs it without Chromium.
export default defineConfig({ test: { include: ['test/setup/absent/suite.ts'] } });
