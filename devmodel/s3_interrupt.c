// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The Trio64's interrupt: the beginning of a vertical retrace, as VGA (CR11) and 8514/A (42E8h) have it, and the
 * engine's own reasons. CR32 bit 4 lets any of them out to INTA#.
 *
 * Retraces are counted from the time, and a timer runs only while an interrupt is waited for.
 */
#include "../base/bits.h"
#include "s3_chip.h"

#define SUBSYS_VSYNC 0x01u
#define SUBSYS_REASONS 0x0fu
#define CR_BACKWARD_1_INTERRUPTS 0x10u

/* When the first retrace after the machine was built began, and their distance. */
static uint64_t first_retrace(struct s3_trio64 *s3, uint64_t *ret_frame_ns)
{
	struct vga_timing timing;

	vga_timing_decode(s3->vga.s, &s3->vga.ext, &timing);
	*ret_frame_ns = timing.frame_ns;
	return timing.retrace_first * timing.line_ns;
}

uint32_t s3_retraces(struct s3_trio64 *s3)
{
	uint64_t frame_ns, first = first_retrace(s3, &frame_ns);

	return (uint32_t)((timer_now(&s3->retrace_timer) + frame_ns - first) / frame_ns);
}

uint32_t s3_subsys_status(struct s3_trio64 *s3)
{
	uint32_t status = s3_engine_read(&s3->engine, 0x42e8, 1);

	return s3_retraces(s3) != s3->s.vsync_cleared ? status | SUBSYS_VSYNC : status;
}

/* What the VGA wants to hear of: retraces, when CR11 neither holds the latch down nor masks it. */
static bool vga_listens(const struct vga_state *s)
{
	uint8_t vre = s->crtc[CRTC_VRE];

	return (vre & CRTC_VRE_CLEAR_INTERRUPT) && !(vre & CRTC_VRE_DISABLE_INTERRUPT);
}

void s3_interrupt_update(struct s3_trio64 *s3)
{
	const struct vga_state *vga = &s3->s.vga;
	uint32_t wanted = s3->s.engine.subsys_cntl >> 8 & SUBSYS_REASONS;
	uint32_t reasons = wanted ? s3_subsys_status(s3) & wanted : 0;
	bool out = vga->crtc[CR_BACKWARD_1] & CR_BACKWARD_1_INTERRUPTS;
	bool latched = vga->vsync_latched && vga_listens(vga), waits;

	waits = ((wanted & SUBSYS_VSYNC) && !(reasons & SUBSYS_VSYNC)) ||
		(vga_listens(vga) && !vga->vsync_latched);
	if (out && waits) {
		uint64_t frame_ns, first = first_retrace(s3, &frame_ns);

		timer_arm(&s3->retrace_timer, first + s3_retraces(s3) * frame_ns);
	} else {
		timer_cancel(&s3->retrace_timer);
	}
	pci_set_intx(&s3->function, out && (reasons || latched));
}

void s3_interrupt_expired(struct device *dev)
{
	struct s3_trio64 *s3 = s3_of(dev);

	if (vga_listens(&s3->s.vga))
		s3->s.vga.vsync_latched = 1;
	s3_interrupt_update(s3);
}
