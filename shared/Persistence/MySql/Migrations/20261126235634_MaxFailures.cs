using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.MySql.Migrations
{
    /// <inheritdoc />
    public partial class MaxFailures : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.RenameColumn(
                name: "max_attempts",
                table: "heavy_tasks",
                newName: "max_failures");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.RenameColumn(
                name: "max_failures",
                table: "heavy_tasks",
                newName: "max_attempts");
        }
    }
}
