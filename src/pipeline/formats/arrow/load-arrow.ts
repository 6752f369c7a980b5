/**
 * Loads what reads or writes Arrow files: apache-arrow is an optional peer, which a library that
 * writes Parquet alone does without.
 *
 * @throws Error that says what to install
 */
export async function loadArrow<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(
      'Arrow files need a package that is not installed: npm install apache-arrow@21',
      {
        cause: error,
      },
    );
  }
}
