/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doorbells: registers whose writes say only "look again" (devmodel/io.h). KVM turns such a write into
 * an eventfd and lets the guest go on; the loop thread carries it out, at once or, when it comes as one of
 * many, within 200 us together with others.
 */
#ifndef VMM_DOORBELL_H
#define VMM_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

struct device;
struct io_region;
struct kvm;
struct loop;
struct loop_timer;
struct loop_watch;

#define DOORBELLS_MAX 16

struct doorbells {
	struct loop *loop;
	const struct kvm *kvm;
	struct loop_timer *timer; /* on while one of them is looked at */
	bool running;
	unsigned int count;
	struct doorbell {
		struct doorbells *all;
		struct device *dev;
		uint16_t offset;
		int fd;
		struct loop_watch *watch;
		bool looking;		   /* instead of being told */
		uint64_t rung_ns;	   /* when we were last told */
		unsigned int quick;	   /* quick rings; the others halve it */
		unsigned int patience;	   /* so many of them are bulk */
		unsigned int looks, found; /* since the last judgement */
	} bells[DOORBELLS_MAX];
};

void doorbells_init(struct doorbells *bells, struct loop *loop, const struct kvm *kvm);
/* Makes those of all regions of @devices, before the guest runs. What cannot be made stays an exit. */
void doorbells_add(struct doorbells *bells, struct device *const *devices, unsigned int count);
/* A region of a device appeared or goes. */
void doorbells_moved(struct doorbells *bells, const struct io_region *region, bool mapped);
/*
 * Nothing is carried out while the machine does not run; when it goes on every bell is rung, since one
 * may have been meanwhile, or before the state was saved.
 */
void doorbells_set_running(struct doorbells *bells, bool running);
void doorbells_fini(struct doorbells *bells);

#endif
