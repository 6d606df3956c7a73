/* What the machine says when a file can't be written, for all rooms that keep one. */
#pragma once

/* error: an errno of the system. Returns the one of store.h's that it means (-ENOSPC, -EROFS, -ENOENT, -EIO); *ret_what: in words. */
int store_errno(int error, const char **ret_what);
