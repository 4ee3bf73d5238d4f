/* SPDX-License-Identifier: Apache-2.0 */
/* A CUDA driver that never answers: whatever the runtime asks for first hangs. For LD_LIBRARY_PATH, under
 * the name libcuda.so.1. */
#include <unistd.h>

static void hang(void) {
  for (;;) {
    pause();
  }
}

/* The runtime asks for all else by one of these. */
int cuInit(unsigned flags);
int cuInit(unsigned flags) {
  (void)flags;
  hang();
  return 0;
}

int cuDriverGetVersion(int* version);
int cuDriverGetVersion(int* version) {
  (void)version;
  hang();
  return 0;
}

int cuGetProcAddress(const char* symbol, void** function, int version, unsigned long flags);
int cuGetProcAddress(const char* symbol, void** function, int version, unsigned long flags) {
  (void)symbol;
  (void)function;
  (void)version;
  (void)flags;
  hang();
  return 0;
}

int cuGetProcAddress_v2(const char* symbol, void** function, int version, unsigned long flags,
                        void* status);
int cuGetProcAddress_v2(const char* symbol, void** function, int version, unsigned long flags,
                        void* status) {
  (void)status;
  return cuGetProcAddress(symbol, function, version, flags);
}
