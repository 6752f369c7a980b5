// Loaded into a process by the tests: writes what it has used when it ends. The process that reads strangers' files is
// started by the command and has a report of its own.
const { readFileSync, renameSync, writeFileSync } = require('node:fs');

process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  // The system's own count of the peak begins with this program; that of resourceUsage with the one that started it.
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
  const usage = { megabytes: kilobytes / 1024, seconds: (userCPUTime + systemCPUTime) / 1e6 };
  const report = `${process.env.EOS_USAGE_REPORT}.${process.pid}`;
  writeFileSync(`${report}.new`, JSON.stringify(usage));
  renameSync(`${report}.new`, report);
});
