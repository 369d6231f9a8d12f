/* heatmap_color.c - colours for weights from 0 to 1. */
#include "view/heatmap_internal.h"

#include <math.h>

/* Cividis (Nunez, Anderton, Renslow 2018, "Optimizing colormaps with consideration for color vision
 * deficiency"), at ninths. */
static const HeatmapColor dark_map[] = {
    {0x00, 0x22, 0x4e}, {0x12, 0x35, 0x70}, {0x3b, 0x49, 0x6c}, {0x57, 0x5d, 0x6d}, {0x70, 0x71, 0x73},
    {0x8a, 0x86, 0x78}, {0xa5, 0x9c, 0x74}, {0xc3, 0xb3, 0x69}, {0xe1, 0xcc, 0x55}, {0xfe, 0xe8, 0x38},
};

/* YlGnBu (Harrower, Brewer 2003, "ColorBrewer.org"), begun at white. */
static const HeatmapColor light_map[] = {
    {0xff, 0xff, 0xff}, {0xed, 0xf8, 0xc8}, {0xc7, 0xe9, 0xb4}, {0x7f, 0xcd, 0xbb}, {0x41, 0xb6, 0xc4},
    {0x1d, 0x91, 0xc0}, {0x22, 0x5e, 0xa8}, {0x25, 0x34, 0x94}, {0x08, 0x1d, 0x58},
};

/* The point at `hundredths` of the way along `count` colours, straight lines between them. */
static HeatmapColor along(const HeatmapColor *map, int count, int hundredths)
{
    int place = hundredths * (count - 1), i = place / 100, part = place % 100;
    if (part == 0)
        return map[i];
    const HeatmapColor *a = &map[i], *b = &map[i + 1];
    return (HeatmapColor){
        .red = (a->red * (100 - part) + b->red * part + 50) / 100,
        .green = (a->green * (100 - part) + b->green * part + 50) / 100,
        .blue = (a->blue * (100 - part) + b->blue * part + 50) / 100,
    };
}

HeatmapColor heatmap_dark_map(int hundredths)
{
    return along(dark_map, sizeof dark_map / sizeof *dark_map, hundredths);
}

HeatmapColor heatmap_light_map(int hundredths)
{
    return along(light_map, sizeof light_map / sizeof *light_map, hundredths);
}

static double linear(int channel)
{
    double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

/* Contrast is (brighter + 0.05) / (darker + 0.05): white and black are equal where (l + 0.05)^2 = 1.05 * 0.05. */
bool heatmap_wants_light_ink(HeatmapColor color)
{
    double l = 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue);
    return (l + 0.05) * (l + 0.05) < 1.05 * 0.05;
}
