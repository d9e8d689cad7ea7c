// The 3x3 convolution of an image of one or two channels, stride 1: a network's first layer, which reads the image
// once.
//
// With so few channels a weight is used 9 or 18 times a result: the layer does little more than write y, 4 bytes for 18
// FLOP of a channel, and no tile makes that more. So the kernel only sees to it that x is read once and y is written
// side by side. A block brings the (8 + 2) x (32 + 2) pixels that 8 x 32 outputs need to shared memory; all channels of
// the output, 32 at a time, are computed from them. A warp has a row of pixels, a lane an output channel, whose 9 or 18
// weights stay in registers: it walks along the row, and reads a column of three pixels once, for all lanes at a time.
// A column is the last one, u = 2, of one output, the middle one of the next and the first of the next but one: three
// sums are on their way.

template <typename T, int CHANNELS, bool RELU>
__global__ void __launch_bounds__(256)
correlate_first(const T* __restrict__ x, const T* __restrict__ kernel, const T* __restrict__ bias, T* __restrict__ y,
                int height, int width, int out_height, int out_width, int outputs, int top, int left) {
    constexpr int HIGH = 8, WIDE = 32, ROW = (WIDE + 2) * CHANNELS;
    SHARED(T, image, [HIGH + 2][ROW]);
    const int across = (out_width + WIDE - 1) / WIDE, along = (out_height + HIGH - 1) / HIGH;
    const long long n = blockIdx.x / (across * along);
    const int first_row = blockIdx.x / across % along * HIGH, first_column = blockIdx.x % across * WIDE;
    for (int number = threadIdx.x; number < (HIGH + 2) * ROW; number += blockDim.x) {
        int row = number / ROW, place = number % ROW, down = first_row + row - top;
        int right = first_column + place / CHANNELS - left;
        bool valid = down >= 0 && down < height && right >= 0 && right < width;
        image[row][place] = valid ? x[((n * height + down) * width + right) * CHANNELS + place % CHANNELS] : T(0);
    }
    __syncthreads();  // the image is there
    const int lane = threadIdx.x % 32, row = threadIdx.x / 32;
    if (first_row + row >= out_height) return;
    T* const to = y + ((n * out_height + first_row + row) * out_width + first_column) * outputs;
    for (int o = lane; o < outputs; o += 32) {
        T weights[3][3][CHANNELS];  // u, v, c
#pragma unroll
        for (int place = 0; place < 9 * CHANNELS; place++)
            weights[place / CHANNELS / 3][place / CHANNELS % 3][place % CHANNELS] = kernel[place * outputs + o];
        const T start = bias ? bias[o] : T(0);
        T sums[3] = {start, start, start};  // of the outputs two columns back, one back, and here
        for (int column = 0; column < WIDE + 2; column++) {
#pragma unroll
            for (int u = 0; u < 3; u++)
#pragma unroll
                for (int c = 0; c < CHANNELS; c++) {
                    const T pixel = image[row + u][column * CHANNELS + c];
#pragma unroll
                    for (int v = 0; v < 3; v++) sums[2 - v] += pixel * weights[u][v][c];
                }
            const int done = column - 2;
            if (done >= 0 && first_column + done < out_width)
                to[(long long)done * outputs + o] = RELU && sums[0] < 0 ? T(0) : sums[0];
            sums[0] = sums[1], sums[1] = sums[2], sums[2] = start;
        }
    }
}
INSTANTIATE(correlate_first<float, 1, false>)  // registers: 64
INSTANTIATE(correlate_first<float, 1, true>)  // registers: 64
INSTANTIATE(correlate_first<float, 2, false>)  // registers: 64
INSTANTIATE(correlate_first<float, 2, true>)  // registers: 64
INSTANTIATE(correlate_first<double, 1, false>)  // registers: 96
INSTANTIATE(correlate_first<double, 1, true>)  // registers: 96
INSTANTIATE(correlate_first<double, 2, false>)  // registers: 96
INSTANTIATE(correlate_first<double, 2, true>)  // registers: 96
