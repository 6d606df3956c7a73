#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "store_outbox_sqlite.h"

int store_outbox_load(struct store_outbox_library *ret_library)
{
	struct store_outbox_library library = { .handle = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL) };

	if (!library.handle)
		return -ENOENT;
#define X(name)                                                                                                                    \
	*(void **)&library.name = dlsym(library.handle, "sqlite3_" #name);                                                         \
	if (!library.name)                                                                                                         \
		goto fail;
	STORE_OUTBOX_FUNCTIONS(X)
#undef X
	*ret_library = library;
	return 0;
fail:
	dlclose(library.handle);
	return -ENOENT;
}

void store_outbox_unload(struct store_outbox_library *library)
{
	if (!library->handle)
		return;
	library->shutdown();
	dlclose(library->handle);
	memset(library, 0, sizeof(*library));
}
