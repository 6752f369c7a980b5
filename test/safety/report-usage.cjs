// Loaded into a process by the tests: writes what it has used when it ends.
const { readFileSync, writeFileSync } = require('node:fs');

process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  // The system's own count of the peak begins with this program; that of resourceUsage with the one that started it.
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  const usage = { megabytes: kilobytes / 1024, seconds: (userCPUTime + systemCPUTime) / 1e6 };
  writeFileSync(process.env.EOS_USAGE_REPORT, JSON.stringify(usage));
});
