/** Parameters of a run worth looking at, under a name. */
export interface Preset {
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A preset as people are shown it. */
export interface ShownPreset extends Preset {
  /** What its run shows, in one sentence. */
  readonly shows: string;
}

/** The parameters of each preset, by its name. */
export const presetTable = <const All extends readonly Preset[]>(presets: All) =>
  Object.fromEntries(presets.map(({ name, parameters }) => [name, parameters])) as {
    readonly [Each in All[number] as Each['name']]: Each['parameters'];
  };
