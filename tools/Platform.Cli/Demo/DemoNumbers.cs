namespace Platform.Cli.Demo;

/// <summary>The numbers that a demo counted, on both sides of the API.</summary>
internal sealed record DemoNumbers
{
    /// <summary>Users in the generated file.</summary>
    public required long Rows { get; init; }

    /// <summary>Bytes of that file that the API stored.</summary>
    public required long Uploaded { get; init; }

    public required long Imported { get; init; }

    public required long Updated { get; init; }

    /// <summary>Users that existed already.</summary>
    public required long Skipped { get; init; }

    public required long Rejected { get; init; }

    /// <summary>Rows that users.export says it wrote.</summary>
    public required long Exported { get; init; }

    /// <summary>Rows in the downloaded file.</summary>
    public required long Downloaded { get; init; }

    /// <summary>Users that users.statistics counted.</summary>
    public required long Users { get; init; }

    public required long Countries { get; init; }

    public required long Months { get; init; }

    /// <summary>Lists what does not agree, one sentence each; empty when all numbers agree.</summary>
    public IReadOnlyList<string> Disagreements
    {
        get
        {
            var found = new List<string>();
            if (Imported + Updated + Skipped != Rows || Rejected != 0)
            {
                found.Add(
                    $"{Rows} rows were generated, but {Imported} imported + {Updated} updated + {Skipped} skipped, and {Rejected} rejected."
                );
            }

            if (Exported != Users)
            {
                found.Add($"{Exported} rows were exported, but users.statistics counted {Users} users.");
            }

            if (Downloaded != Exported)
            {
                found.Add($"{Exported} rows were exported, but the downloaded file has {Downloaded}.");
            }

            return found;
        }
    }
}
