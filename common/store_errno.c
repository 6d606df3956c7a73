#include "store_errno.h"

#include <errno.h>
#include <string.h>

int store_errno(int error, const char **ret_what)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		*ret_what = "no space left";
		return -ENOSPC;
	case EROFS:
		*ret_what = "the file system is read-only";
		return -EROFS;
	case EACCES:
	case EPERM:
		*ret_what = "not allowed to write there";
		return -EROFS;
	case ENOENT:
	case ENOTDIR:
		*ret_what = "the file or its folder is missing";
		return -ENOENT;
	default:
		*ret_what = strerror(error);
		return -EIO;
	}
}
