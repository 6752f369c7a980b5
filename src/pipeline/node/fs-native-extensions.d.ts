/** The part of fs-native-extensions that we use; the package ships no types. */
declare module 'fs-native-extensions' {
  /** False where another open file has the lock. @throws where the file system knows no locks */
  export function tryLock(
    fd: number,
    offset: number,
    length: number,
    options?: { readonly shared?: boolean },
  ): boolean;
}
