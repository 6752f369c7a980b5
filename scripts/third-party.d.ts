import type { Plugin } from 'vite';

export declare function thirdPartyLicences(): {
  readonly page: Plugin[];
  readonly worker: Plugin[];
};
