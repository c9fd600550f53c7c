"""Files that are whole or not there: atomic writing, tensor files, arrays on the disk, uploads, allowed folders."""
