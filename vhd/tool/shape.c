// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../../base/bits.h"
#include "tool.h"

const char shape_type_help[] = "dynamic (default) or fixed";
const char shape_policy_help[] =
	"exact (default), chs-up, chs-down: a size that cylinders can say; mib: whole MiB";
const char shape_consumer_help[] =
	"azure, hyperv, virtualpc, qemu or xen: type, size and blocks as it wants them";
const char shape_block_help[] = "of a dynamic disk's blocks (default 2M)";
const char shape_preallocate_help[] =
	"reserve all space, the file has no holes; Windows refuses sparse files";

enum size_policy { SIZE_EXACT, SIZE_CHS_UP, SIZE_CHS_DOWN, SIZE_MIB, SIZE_POLICIES };

static const char *const policies[SIZE_POLICIES] = { "exact", "chs-up", "chs-down", "mib" };

/* Who will read the disk. What it insists on is refused otherwise; the rest are defaults. */
struct consumer {
	const char *name;
	enum vhd_type type;
	bool only_type; /* no other */
	enum size_policy policy;
	bool only_policy;
	bool only_2m;	     /* other block sizes are not understood */
	uint64_t most_bytes; /* 0: what the format can hold */
};

static const struct consumer consumers[] = {
	{ "azure", VHD_FIXED, true, SIZE_MIB, true, false, 0 },
	{ "hyperv", VHD_DYNAMIC, false, SIZE_EXACT, false, false, VHD_DYNAMIC_SIZE_MAX },
	/* An IDE guest there sees the geometry, which ends at 127.5 GiB. */
	{ "virtualpc", VHD_DYNAMIC, false, SIZE_CHS_UP, false, false, UINT64_C(136899993600) },
	{ "qemu", VHD_DYNAMIC, false, SIZE_EXACT, false, false, VHD_DYNAMIC_SIZE_MAX },
	{ "xen", VHD_DYNAMIC, false, SIZE_MIB, false, true, VHD_DYNAMIC_SIZE_MAX },
};

static const struct consumer anybody = { "", VHD_DYNAMIC, false, SIZE_EXACT, false, false, 0 };

static uint64_t apply_policy(uint64_t bytes, enum size_policy policy)
{
	switch (policy) {
	case SIZE_CHS_UP:
		return vhd_geometry_size_up(bytes);
	case SIZE_CHS_DOWN:
		return vhd_geometry_size_down(bytes);
	case SIZE_MIB:
		return bytes > UINT64_MAX - MIB(1) ? bytes : round_up(bytes, MIB(1));
	case SIZE_EXACT:
	case SIZE_POLICIES:
		break;
	}
	return bytes;
}

static const struct consumer *find_consumer(const char *name)
{
	if (!name)
		return &anybody;
	for (size_t i = 0; i < ARRAY_LEN(consumers); i++) {
		if (!strcmp(consumers[i].name, name))
			return &consumers[i];
	}
	return NULL;
}

/* What the words say, without regard to the consumer. */
static int read_words(const struct shape *shape, const struct consumer *consumer,
		      enum vhd_type *ret_type, enum size_policy *ret_policy)
{
	static const char *const types[] = { "fixed", "dynamic" };
	int type = shape->type ? index_of(types, 2, shape->type) : consumer->type == VHD_DYNAMIC;
	int policy = shape->size_policy ? index_of(policies, SIZE_POLICIES, shape->size_policy)
					: (int)consumer->policy;

	if (type < 0)
		return fail_usage("--type %s: give dynamic or fixed", shape->type);
	if (policy < 0)
		return fail_usage("--size-policy %s: give exact, chs-up, chs-down or mib",
				  shape->size_policy);
	*ret_type = type ? VHD_DYNAMIC : VHD_FIXED;
	*ret_policy = (enum size_policy)policy;
	return 0;
}

int shape_resolve(const struct shape *shape, uint64_t bytes, struct vhd_create_options *ret_options)
{
	const struct consumer *consumer = find_consumer(shape->consumer);
	enum vhd_type type;
	enum size_policy policy;
	int status;

	if (!consumer)
		return fail_usage("--for %s: give azure, hyperv, virtualpc, qemu or xen",
				  shape->consumer);
	status = read_words(shape, consumer, &type, &policy);
	if (status != 0)
		return status;
	if (consumer->only_type && type != consumer->type)
		return fail_usage("--for %s takes %s disks only: leave out --type", consumer->name,
				  vhd_type_name(consumer->type));
	if (consumer->only_policy && policy != consumer->policy)
		return fail_usage("--for %s takes sizes by the policy %s only: leave out "
				  "--size-policy",
				  consumer->name, policies[consumer->policy]);
	if (consumer->only_2m && shape->block_bytes &&
	    shape->block_bytes != VHD_BLOCK_BYTES_DEFAULT)
		return fail_usage("--for %s takes blocks of 2M only: leave out --block-size",
				  consumer->name);
	*ret_options = (struct vhd_create_options){
		.type = type,
		.size_bytes = apply_policy(bytes, policy),
		.block_bytes = (uint32_t)shape->block_bytes,
		.preallocate = type == VHD_FIXED && shape->preallocate,
	};
	if (consumer->most_bytes && ret_options->size_bytes > consumer->most_bytes)
		return fail_usage("--for %s: a disk of %llu bytes is larger than the %llu that it "
				  "can use",
				  consumer->name, (unsigned long long)ret_options->size_bytes,
				  (unsigned long long)consumer->most_bytes);
	return 0;
}

int shape_create(const struct output *output, const struct vhd_create_options *options)
{
	const struct vhd_file file = { .fd = output->fd, .name = file_name(output->path) };
	char error[VHD_ERROR_BYTES];

	return vhd_create(&file, options, error, sizeof(error)) < 0 ? fail("%s", error) : 0;
}

int shape_finish(const struct output *output, const struct shape *shape)
{
	struct stat st;
	int r;

	if (!shape->preallocate)
		return 0;
	if (fstat(output->fd, &st) < 0)
		return fail("%s: %s", output->path, strerror(errno));
	do
		r = posix_fallocate(output->fd, 0, st.st_size);
	while (r == EINTR);
	return r ? fail("%s: cannot reserve %lld bytes: %s", output->path, (long long)st.st_size,
			strerror(r))
		 : 0;
}
