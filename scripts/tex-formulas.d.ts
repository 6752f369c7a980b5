import type { Plugin } from 'vite';

export declare function texFormulas(): Plugin;
